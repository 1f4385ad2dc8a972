"""General topics of transport, culture, leisure and history (parsed by ``records.parse_topics``)."""

TEXT = """
# sailing
- A sail works partly like a wing and can pull a boat forward across the wind.
- A boat cannot sail straight into the wind and must zigzag instead.
- The keel keeps a sailing boat from sliding sideways.
- Port is the left side of a vessel when facing forward, and starboard is the right side.
- Reefing makes the sail smaller in strong wind.
- Knots measure speed in nautical miles per hour.
- The bowline is a knot that makes a loop that does not slip.
- Polynesian navigators crossed the Pacific by reading stars, waves and birds.
- A life jacket should be worn on deck in rough weather.

# railways
- Early railways used horses to pull wagons on rails.
- Steam locomotives began to haul passengers in England in the 1820s.
- Steel wheels on steel rails roll with little friction.
- Standard gauge is 1,435 millimeters wide.
- Signals divide a line into sections to keep trains apart.
- Electric trains draw power from a wire or a third rail.
- Japan opened its first high-speed line in 1964.
- Tunnels and viaducts keep slopes gentle enough for trains.
- A fully loaded freight train may need more than a kilometer to stop.

# the bicycle
- A bicycle turns muscle power into motion with great efficiency.
- Early bicycles with a huge front wheel were fast but dangerous.
- The safety bicycle of the 1880s had two wheels of similar size and a chain.
- Gears let a rider climb hills with less force.
- Tires should be pumped up regularly because air slowly escapes.
- A clean, oiled chain lasts longer and runs quietly.
- A helmet lowers the risk of head injury.
- Lights and reflectors make a rider visible at night.
- Spokes hold the rim mainly by tension.

# maps
- A map is a drawing of an area as seen from above.
- The scale tells how distances on the map relate to distances on the ground.
- Contour lines join points of equal height.
- Contour lines that lie close together show a steep slope.
- No flat map can show the whole Earth without distortion.
- The Mercator projection keeps angles correct but enlarges areas near the poles.
- Latitude measures distance north or south of the equator.
- Longitude is measured east or west of the line through Greenwich.
- A legend explains the symbols on a map.

# money and trade
- Before coins, people often exchanged goods directly.
- Shells, salt and cattle have all served as money.
- Coins of precious metal were struck in Lydia in the seventh century BCE.
- Paper money was first used in China.
- Interest is the price paid for borrowing money.
- Inflation means that the same amount of money buys less than before.
- A budget compares expected income with planned spending.
- Markets let many buyers and sellers agree on prices.
- The Silk Road was a network of routes between China and the Mediterranean.

# calendars
- A solar calendar follows the apparent path of the Sun through the year.
- A lunar calendar follows the phases of the Moon.
- The Earth takes about 365.24 days to complete one cycle of the seasons.
- A leap day keeps the calendar in step with the seasons.
- Century years are leap years in the Gregorian calendar only if they can be divided by 400.
- The Gregorian reform was introduced in 1582.
- Julius Caesar reformed the Roman calendar in 46 BCE.
- Some calendars add a whole month in certain years.
- The seven-day week does not divide evenly into a solar year.

# numbers and counting
- Tally marks on bone are among the oldest known records of counting.
- The Babylonians used a number system based on sixty.
- Our hours and minutes still reflect the Babylonian base of sixty.
- The digits used today were developed in India and reached Europe through the Arab world.
- Zero serves both as a number and as a placeholder.
- A prime number has exactly two divisors, one and itself.
- There is no largest prime number.
- Computers store numbers in binary form.
- An abacus lets a practiced user add very quickly.

# music
- A melody is a series of notes that the listener hears as a whole.
- Harmony arises when several notes sound together.
- Rhythm is the pattern of long and short sounds.
- An octave spans two notes whose frequencies stand in the ratio of two to one.
- Orchestras usually tune to a note near 440 vibrations per second.
- The piano strikes its strings with felt hammers.
- A violin has four strings tuned in fifths.
- Brass players change notes with their lips and with valves or a slide.
- Regular short practice is better than one long session a week.
- Lullabies are found in cultures all over the world.

# painting
- The oldest cave paintings are tens of thousands of years old.
- Pigments were first made from earth, charcoal and ground minerals.
- Red, yellow and blue are the traditional primary colors of painters.
- Watercolor is transparent and lets the paper shine through.
- Oil paint dries slowly and allows gentle blending.
- Linear perspective uses lines that meet at a vanishing point.
- Fresco is painted on wet plaster.
- Complementary colors look brighter when placed side by side.
- Artists often make quick sketches before they begin a large work.

# chess
- Chess is played by two players on a board of 64 squares.
- Each player begins with sixteen pieces.
- The aim is to attack the opposing king so that it cannot escape.
- The queen is the most powerful piece.
- The knight moves in the shape of an L and can jump over other pieces.
- A pawn that reaches the last rank is promoted.
- The game has its roots in India more than a thousand years ago.
- Controlling the center is good advice for beginners.
- Castling brings the king to safety and moves a rook toward the center.

# football
- Association football is played by two teams of eleven players.
- Only the goalkeeper may handle the ball on the field of play, and only inside the penalty area.
- A match lasts ninety minutes in two halves.
- The modern rules were first written down in England in 1863.
- A penalty kick is taken from eleven meters.
- The offside rule prevents attackers from waiting next to the goal.
- The first World Cup for men was held in Uruguay in 1930.
- Warming up before a match helps to prevent injury.
- A yellow card is a warning, and a second one leads to dismissal.

# running for beginners
- New runners do well to alternate walking and running.
- Weekly distance should rise gradually to avoid injury.
- Most training runs should be slow enough to allow conversation.
- Shoes should leave a little space in front of the toes.
- Rest days let muscles and tendons recover.
- Strength exercises for hips and calves protect the knees.
- On hot days it is wise to run early and drink enough.
- Keeping a simple log helps many people stay motivated.
- Sharp pain is a signal to stop.

# camping
- A flat spot on slightly raised ground stays dry in rain.
- Tents should not be pitched under dead branches.
- A sleeping mat keeps the body warm because the ground draws away heat.
- Food should be stored out of reach of animals.
- Water from streams should be boiled or treated before drinking.
- A campfire must be put out completely with water.
- Good campers carry their rubbish home.
- A headlamp leaves both hands free.
- Layers of clothing are easier to adjust than one thick coat.

# first aid at home
- A minor burn should be cooled under running water for about twenty minutes.
- Firm pressure with a clean cloth stops most bleeding.
- A nosebleed is treated by leaning forward and pinching the soft part of the nose.
- Tick removal works best with fine tweezers close to the skin.
- An unconscious person who breathes normally is placed on the side.
- Chest compressions should be hard and fast in the middle of the chest.
- The emergency number should be known to every member of the household.
- Household chemicals belong in a locked cupboard.
- A small kit should contain bandages, gloves, tape and scissors.

# house cleaning
- Dusting from top to bottom prevents cleaned surfaces from getting dirty again.
- Vinegar dissolves lime scale but may damage natural stone.
- Bleach must never be mixed with acids or with ammonia.
- Microfiber cloths pick up dust with little or no detergent.
- Opening windows for a few minutes replaces damp air.
- Cold water is better than hot water for fresh blood stains.
- Vacuum filters need regular cleaning.
- A short daily routine keeps work from piling up.
- Baking soda absorbs odors in a refrigerator.

# houseplants
- Overwatering kills more houseplants than drought does.
- Pots need holes so that surplus water can drain.
- Most houseplants like bright light without direct midday sun.
- Yellow leaves may be a sign of too much water.
- Snake plants tolerate shade and dry air.
- Dust on leaves reduces the light that reaches them.
- Spring is a good time to repot.
- A plant that leans toward the window should be turned regularly.
- Spider plants produce young plants on long runners.

# beekeeping
- A honeybee colony has one queen, thousands of workers and some drones.
- Workers are females that gather nectar, build comb and guard the hive.
- Bees tell each other about food sources with a dance.
- Smoke calms bees while the keeper opens the hive.
- Honey is nectar that bees have thickened by evaporation.
- Beeswax is produced by glands on the abdomen of young workers.
- A swarm leaves when a crowded colony divides.
- Keepers leave enough honey for the bees to survive the winter.
- Varroa mites are among the most serious threats to hives.

# writing letters
- A letter usually opens with a greeting and ends with a closing phrase.
- Short paragraphs make a letter easier to read.
- A thank-you note should mention the gift and how it will be used.
- Reading a draft aloud reveals clumsy sentences.
- Formal letters state their purpose in the first lines.
- The first postage stamp, the Penny Black, was issued in 1840.
- Postcards became popular in the late nineteenth century.
- Pen friends in different countries often help each other learn languages.
- A handwritten letter can be kept for generations.

# libraries
- The library of Alexandria was a famous center of learning in antiquity.
- Medieval monasteries copied books by hand.
- Public lending libraries spread in the nineteenth century.
- Melvil Dewey published a decimal system for arranging books in 1876.
- Call numbers show where a book stands on the shelf.
- Many libraries lend games, tools and musical instruments.
- Librarians help readers to judge the quality of sources.
- Old paper should be kept cool, dry and out of the sun.
- Story hours introduce young children to books.

# farming through the year
- Winter is the time to repair tools, prune fruit trees and plan the fields.
- Lambs and calves are often born in early spring.
- Hay is cut when the weather promises several dry days.
- Grain is ready for harvest when the kernels are hard and dry.
- Winter wheat is sown in autumn and harvested the next summer.
- Apples picked at the right time keep for months in a cool cellar.
- Fields left under clover gain nitrogen for the next crop.
- Hedges shelter birds and slow the wind.
- Cows need to be milked every day, usually morning and evening.

# silk
- Silk is produced by the caterpillar of a moth that feeds on mulberry leaves.
- One cocoon consists of a single thread that may be several hundred meters long.
- The making of silk began in China thousands of years ago.
- The cocoons are softened in hot water before the thread is unwound.
- Several fine threads are combined to make one strand of yarn.
- Silk is strong, light and takes dye well.
- The secret of silk was guarded for centuries.
- Spider silk is very strong for its weight but hard to harvest.

# salt
- Salt is won from sea water, from brine springs and from mines.
- In warm dry regions, sea water evaporates in shallow ponds and leaves salt behind.
- Salt was once so valuable that it was taxed and traded over long distances.
- Many towns owe their names and wealth to nearby salt works.
- Salt brings out flavor and preserves food.
- Road crews spread salt because it lowers the freezing point of water.
- Iodized table salt helps to prevent goiter.
- Plants suffer when too much salt collects in the soil.
- A pinch of salt can reduce the bitter taste of coffee or grapefruit.

# the telephone
- Early telephones turned the voice into a varying electric current.
- Alexander Graham Bell received a patent for the telephone in 1876.
- Operators once connected calls by plugging cables into a switchboard.
- Undersea cables carry most data between continents.
- Optical fibers transmit information as pulses of light.
- A mobile phone is in fact a two-way radio.
- Each cell of a mobile network is served by a base station.
- Text messages were first limited to 160 characters.
- Telegraphs sent messages in Morse code before telephones were common.

# bread in history
- People baked flat bread from wild grain long before they farmed.
- Ancient Egyptians baked leavened bread.
- Roman towns had public bakeries with large stone mills.
- White bread was once a sign of wealth.
- Rye grows in poor soil and cold climates where wheat fails.
- Village ovens were often shared by many families.
- Roller mills of the nineteenth century made fine white flour cheap.
- Corn tortillas have been a staple food of Mexico for thousands of years.
- Sliced bread was first sold in the United States in 1928.

# castles
- Many early castles were wooden towers on a mound of earth.
- Stone walls replaced timber because they resisted fire.
- A moat made it harder to dig tunnels under the walls.
- The drawbridge could be raised in times of danger.
- Narrow slits in the walls protected archers.
- The keep was the strongest tower and the last refuge.
- Wells inside the walls were vital during a siege.
- Cannon made high thin walls useless.
- Castles were also homes, courts and places to store grain.

# theater
- Greek theaters were built into hillsides so that everyone could see and hear.
- Actors in ancient Greece wore masks.
- The chorus commented on the action of the play.
- In the time of Shakespeare, female roles were played by boys and young men.
- A dress rehearsal is the last practice in full costume.
- The prompter helps actors who forget their lines.
- Lighting guides the attention of the audience.
- Puppet theater is found in many parts of Asia and Europe.
- Improvised comedy relies on listening to fellow actors.
"""
