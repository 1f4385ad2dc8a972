"""General topics of sky, weather, earth, plants and matter (parsed by ``records.parse_topics``)."""

TEXT = """
# clouds
- Clouds form when moist air cools and water vapor condenses on tiny particles.
- Cumulus clouds look like heaps of cotton and often mark rising warm air.
- Cirrus clouds are thin, high and made of ice crystals.
- Stratus clouds form a low gray sheet that may bring drizzle.
- Cumulonimbus clouds can grow taller than the highest mountains and produce thunderstorms.
- Fog is a cloud that touches the ground.
- A cloud droplet is so small that about a million of them are needed to make one raindrop.
- Clouds cool the ground by day because they reflect sunlight.
- On a cloudy night the ground stays warmer because clouds return some of its heat.

# thunderstorms
- Thunderstorms need moist air, an unstable atmosphere and something that lifts the air.
- Inside the cloud, collisions between ice crystals and soft hail separate electric charge.
- Lightning heats the air along its path to a temperature several times that of the surface of the Sun.
- Thunder is the sound of air that expands suddenly when lightning heats it.
- Sound travels about one kilometer in three seconds, so counting after the flash gives the distance.
- Hail grows when strong updrafts carry frozen drops through supercooled water.
- A car with a metal roof offers good protection because the current flows around the outside.
- Tall isolated trees are dangerous places to shelter during lightning.
- Most thunderstorms last less than an hour.

# wind
- Wind is air that moves from areas of high pressure toward areas of low pressure.
- The rotation of the Earth deflects winds to the right in the northern hemisphere.
- A sea breeze blows toward the land by day because land warms faster than water.
- At night the flow reverses and a land breeze may develop.
- The trade winds blow toward the equator from the east and carried sailing ships across oceans.
- Jet streams are narrow bands of fast wind near the top of the lower atmosphere.
- The Beaufort scale describes wind strength from calm to hurricane force.
- A wind is named after the direction from which it comes.
- Mountain valleys often channel wind and make it stronger.

# snow and frost
- Snow crystals grow as six-sided plates, columns or stars.
- The shape of a snow crystal depends on temperature and humidity.
- Fresh snow is mostly air and insulates the ground beneath it.
- Frost forms when water vapor turns directly into ice on a cold surface.
- Clear calm nights favor frost because heat escapes to the sky.
- Black ice is a thin transparent layer that is hard to see on a road.
- Wet snow packs well, whereas dry powder does not stick together.
- Avalanches occur when a weak layer in the snowpack fails.
- Gardeners cover tender plants with cloth when frost is expected.

# rainbows
- A rainbow appears when sunlight shines on falling drops while the observer has the Sun behind them.
- Light bends when it enters a drop, reflects at the back and bends again as it leaves.
- Red lies on the outer edge of the main bow and violet on the inner edge.
- A fainter second bow sometimes appears with the colors in reverse order.
- No two people see exactly the same rainbow because each eye receives light from different drops.
- From an aircraft a rainbow can be seen as a full circle.
- Rainbows are lowest when the Sun is high and cannot be seen from level ground around midday in summer.
- A garden hose with a fine spray makes a small rainbow on a sunny day.

# the water cycle
- Water circulates between the ocean, the air, the land and living things.
- The heat of the Sun evaporates water from the sea surface.
- Plants release water vapor through pores in their leaves.
- Water vapor condenses into clouds and returns to the ground as rain or snow.
- Rain that soaks into the soil may refill underground aquifers.
- Rivers carry most of the surplus water from the land back to the sea.
- About 97% of the water on Earth is salty.
- Most of the fresh water on Earth is stored in ice sheets and glaciers.
- A drop of water stays in the air for about nine days on average.

# the seasons
- The seasons arise because the axis of the Earth is tilted by about 23.4 degrees.
- Distance from the Sun is not the cause, since the Earth is closest to the Sun in early January.
- At the June solstice the northern hemisphere receives its longest day.
- Day and night are nearly equal everywhere at the equinoxes.
- Summer in the southern hemisphere coincides with winter in the northern hemisphere.
- Near the equator temperature changes little during the year.
- North of the Arctic Circle the Sun does not set for at least one day in summer.
- The warmest weeks usually come some time after the longest day because land and sea warm slowly.

# the Moon
- The Moon orbits the Earth in about 27.3 days.
- The cycle of phases takes about 29.5 days because the Earth also moves around the Sun.
- The same side of the Moon always faces the Earth.
- The dark plains on the Moon are ancient lava flows.
- The Moon has almost no atmosphere, so its sky is black even by day.
- Gravity on the Moon is about one sixth of that on Earth.
- People first walked on the Moon in July 1969.
- A lunar eclipse occurs when the Moon passes through the shadow of the Earth.
- The average distance to the Moon is about 384,000 kilometers.
- The pull of the Moon is the main cause of ocean tides.

# the Sun
- The Sun is a star of medium size at the center of our planetary system.
- The Sun contains more than 99% of the mass of the solar system.
- Hydrogen nuclei fuse to helium in the core of the Sun and release energy.
- Sunlight takes a little more than eight minutes to reach the Earth.
- The visible surface has a temperature of about 5,500 degrees Celsius.
- Sunspots are cooler regions with strong magnetic fields.
- The number of sunspots rises and falls over about eleven years.
- The Sun is about 4.6 billion years old.
- Nobody should look at the Sun through binoculars, because the light can destroy the retina.

# the inner planets
- Mercury is the smallest planet of the solar system and the closest to the Sun.
- Venus is the hottest planet because its thick atmosphere traps heat.
- A day on Venus, measured from one rotation to the next, lasts longer than its year.
- The Earth is the only planet known to have liquid oceans on its surface.
- Mars looks red because its soil contains iron oxide.
- Olympus Mons on Mars is the tallest known volcano among the planets.
- Mars has two small moons called Phobos and Deimos.
- Mercury has large swings of temperature because it has almost no atmosphere.
- Venus is often visible as a bright evening or morning star.

# the outer planets
- Jupiter is the largest planet and has more than twice the mass of all other planets combined.
- The Great Red Spot on Jupiter is a storm that has lasted for at least a century and a half.
- Galileo discovered the four largest moons of Jupiter in 1610.
- Saturn is surrounded by bright rings made mostly of water ice.
- Saturn has a lower average density than water.
- Uranus rotates on its side compared with most other planets.
- Neptune was found in 1846 after astronomers had predicted its position by calculation.
- Titan, the largest moon of Saturn, has a thick atmosphere and lakes of methane.
- Neptune takes about 165 years to orbit the Sun.

# stars and constellations
- Stars twinkle because moving air bends their light.
- The color of a star depends on its surface temperature, and blue stars are hotter than red ones.
- Polaris lies close to the north celestial pole and helps travelers find north.
- Sirius is the brightest star in the night sky.
- Orion is easy to recognize by the three stars of its belt.
- The International Astronomical Union recognizes 88 constellations.
- The nearest star beyond the Sun is Proxima Centauri, about 4.2 light-years away.
- The stars of a constellation usually lie at very different distances.
- A light-year is the distance that light travels in one year, nearly 9.5 trillion kilometers.
- The Southern Cross appears on the flags of several southern countries.

# galaxies
- Our galaxy, the Milky Way, contains at least one hundred billion stars.
- The Milky Way is a barred spiral galaxy.
- The Sun takes more than 200 million years to travel once around the center of the galaxy.
- The Andromeda Galaxy is the most distant object that most people can see with the unaided eye.
- A very massive black hole lies at the center of the Milky Way.
- Galaxies often gather in groups and clusters.
- Edwin Hubble showed in the 1920s that distant galaxies move away from us.
- Elliptical galaxies contain mostly old stars.
- Collisions of galaxies rarely cause stars to hit each other because the spaces between stars are vast.

# telescopes
- A telescope gathers more light than the eye and makes distant objects appear larger.
- Refracting telescopes use lenses, and reflecting telescopes use mirrors.
- Isaac Newton built a working reflecting telescope in 1668.
- Large observatories are built on mountains where the air is dry and steady.
- Space telescopes avoid the blur caused by the atmosphere.
- Radio telescopes collect radio waves with large dishes.
- The light-gathering power of a telescope grows with the area of its main lens or mirror.
- Beginners often do well with binoculars before they buy a telescope.
- City lights make faint galaxies hard to see.

# volcanoes
- A volcano is an opening through which molten rock, ash and gas reach the surface.
- Molten rock below the surface is called magma, and on the surface it is called lava.
- Runny lava builds broad shield volcanoes such as those of Hawaii.
- Sticky magma traps gas and tends to erupt explosively.
- Many volcanoes stand along the edges of tectonic plates.
- The Pacific Ocean is ringed by a belt of volcanoes and earthquakes.
- Volcanic ash can make soil fertile in the long run.
- Vesuvius buried the town of Pompeii in the year 79.
- Pumice is so full of gas bubbles that it can float on water.

# earthquakes
- Most earthquakes happen when rocks slip along a fault.
- The point where slip begins is the focus, and the epicenter lies directly above it on the surface.
- Seismometers record the waves that spread through the ground.
- Each whole step in magnitude means about 32 times more energy.
- Primary waves arrive before secondary waves because they travel faster.
- Aftershocks can continue for weeks after a large earthquake.
- An earthquake beneath the sea may cause a tsunami.
- Flexible buildings on good foundations survive shaking better than brittle ones.
- People indoors are usually advised to drop, cover and hold on.

# rivers
- A river begins at its source and ends at its mouth.
- Smaller streams that join a river are called tributaries.
- Fast water in the mountains carves steep valleys.
- On flat land a river swings from side to side in bends called meanders.
- A cutoff meander may leave behind an oxbow lake.
- Where a river enters still water it drops sediment and may build a delta.
- The Amazon carries more water than any other river in the world.
- The Nile flows northward to the Mediterranean Sea.
- Floods renew the fertile soil of river plains but may also damage towns.

# deserts
- A desert receives very little rain or snow.
- The largest deserts on Earth are the cold deserts of Antarctica and the Arctic.
- The Sahara is the largest hot desert.
- Only part of the Sahara is covered by sand dunes, and much of it is rock and gravel.
- Desert nights can be cold because dry clear air lets heat escape.
- Cacti store water in their stems and protect it with spines.
- Parts of the Atacama Desert in Chile are among the driest places on Earth.
- An oasis forms where groundwater reaches the surface.
- Many desert animals are active at night to avoid the heat.

# oceans and tides
- The oceans cover about 71% of the surface of the Earth.
- The Pacific is the largest and deepest ocean.
- The Mariana Trench reaches a depth of nearly 11 kilometers.
- Sea water contains on average about 35 grams of salt per kilogram.
- Most coasts have two high tides and two low tides each day.
- Spring tides occur at new moon and full moon, when the Sun and the Moon pull in line.
- Warm currents such as the Gulf Stream influence the climate of nearby land.
- Tiny floating algae produce a large share of the oxygen on Earth.
- Sound travels more than four times as fast in water as in air.

# coral reefs
- Coral reefs are built by small animals that secrete skeletons of calcium carbonate.
- Most reef corals live together with algae that supply them with food.
- Reefs need clear, warm and shallow water.
- When water becomes too warm, corals lose their algae and turn white.
- The Great Barrier Reef lies off the northeast coast of Australia.
- Reefs shelter about a quarter of all known sea fish species.
- Reefs protect coasts from the force of waves.
- An atoll is a ring of reef around a lagoon.
- Corals grow slowly, often only a few centimeters a year or less.

# glaciers
- A glacier forms where more snow falls in winter than melts in summer over many years.
- The weight of new snow presses older layers into ice.
- Glaciers flow slowly downhill under their own weight.
- A glacier carves a valley with a U-shaped profile.
- Heaps of rock left by a glacier are called moraines.
- Fjords are glacial valleys that were flooded by the sea.
- Crevasses are deep cracks in the surface of a glacier.
- Antarctica holds the greatest mass of ice on Earth.
- Meltwater from glaciers feeds many large rivers in Asia.

# mountains
- Many mountain ranges rise where tectonic plates collide.
- Mount Everest is the highest mountain above sea level, at about 8,849 meters.
- Air becomes colder and thinner with height.
- Above the tree line it is too cold or too dry for trees to grow.
- The windward side of a range usually receives more rain than the sheltered side.
- The Andes form the longest mountain range on land.
- Old mountains such as the Appalachians have been worn down by erosion.
- Water boils at a lower temperature at high altitude.
- Climbers ascend slowly to let their bodies adapt to thin air.

# soil
- Soil is a mixture of mineral grains, organic matter, water and air.
- Sandy soil drains quickly, while clay holds water.
- Loam contains a balanced mix of sand, silt and clay.
- Earthworms mix the soil and open channels for air and roots.
- Fungi and bacteria break down dead leaves and release nutrients.
- It can take centuries to form a few centimeters of topsoil.
- Planting along the contour of a slope reduces erosion.
- Compost improves both sandy and clay soils.
- The color of soil often reveals its content of iron or organic matter.

# trees
- Trees move water from roots to leaves through narrow vessels in the wood.
- A tree in a seasonal climate adds one growth ring each year.
- Deciduous trees drop their leaves before winter or a dry season.
- Most conifers keep their needles for several years.
- Leaves turn yellow in autumn when green chlorophyll breaks down.
- Some bristlecone pines are more than 4,000 years old.
- Coast redwoods are the tallest living trees.
- Bark protects the living tissue from drying out and from insects.
- Roots of most trees spread wider than the crown but lie mostly in the upper meter of soil.

# flowers and pollination
- Flowers produce pollen and ovules, from which seeds develop.
- Bees visit flowers for nectar and pollen.
- Wind-pollinated plants such as grasses have small plain flowers.
- Many flowers that open at night are pale and strongly scented to attract moths.
- Hummingbirds are attracted to red tubular flowers.
- After pollination the ovary of a flower grows into a fruit.
- Some orchids imitate the look of female insects to attract males.
- Sunflowers are composed of many tiny flowers packed in one head.
- Young sunflowers turn during the day to follow the Sun.

# seeds
- A seed contains an embryo, a food store and a protective coat.
- Dandelion seeds travel on the wind with small parachutes.
- Coconuts can float for long distances at sea.
- Burrs cling to the fur of passing animals.
- Squirrels forget some of the nuts they bury, and these may grow into trees.
- Most seeds need water, oxygen and a suitable temperature to sprout.
- Some seeds germinate only after a cold winter or a fire.
- The first root that emerges anchors the seedling and takes up water.
- Seed banks keep samples of crops in cold storage for the future.

# mushrooms and fungi
- Fungi are neither plants nor animals but form a kingdom of their own.
- A mushroom is the fruiting body of a much larger network of threads.
- Fungi digest their food outside the body and absorb it.
- Many trees live in partnership with fungi that help their roots take up nutrients.
- Yeast is a single-celled fungus that makes bread rise.
- Some wild mushrooms are deadly, and only experts should collect them for food.
- Lichens are partnerships between fungi and algae or certain bacteria.
- Penicillin was discovered in a mold by Alexander Fleming in 1928.
- Fungi recycle nutrients by breaking down wood and fallen leaves.

# rocks and minerals
- Geologists sort rocks into igneous, sedimentary and metamorphic kinds.
- Granite cools slowly underground and therefore has large crystals.
- Sandstone is made of grains of sand cemented together.
- Limestone often contains the shells of ancient sea creatures.
- Marble forms when limestone is changed by heat and pressure.
- Diamond is the hardest natural mineral, and talc is one of the softest.
- Quartz is harder than steel and scratches glass.
- Salt crystals are cubes because of the way their atoms are arranged.
- Obsidian is natural glass formed when lava cools very quickly.

# fossils
- Fossils are the preserved remains or traces of ancient life.
- Most fossils are found in sedimentary rock.
- Hard parts such as shells, teeth and bones are preserved more often than soft tissue.
- Footprints and burrows are called trace fossils.
- Amber may preserve insects in fine detail.
- Trilobites lived in the seas for more than 250 million years before they died out.
- Mary Anning collected important marine reptile fossils on the coast of southern England.
- Layers of rock help scientists arrange fossils in order of age.
- Petrified wood forms when minerals replace plant tissue.

# dinosaurs
- Dinosaurs first appeared more than 230 million years ago.
- Birds are the living descendants of small feathered dinosaurs.
- An asteroid impact about 66 million years ago ended the age of large dinosaurs.
- Long-necked sauropods were the largest animals ever to walk on land.
- Stegosaurus lived tens of millions of years before Tyrannosaurus.
- Triceratops had three horns and a large bony frill.
- Many dinosaurs laid eggs in nests on the ground.
- Pterosaurs and ichthyosaurs lived at the same time but were not dinosaurs.
- Fossil dung shows what some dinosaurs ate.

# light
- Light travels at about 300,000 kilometers per second in empty space.
- White light is a mixture of colors that a prism can spread out.
- A mirror reflects light at the same angle at which it arrives.
- Light bends when it passes from air into water, so a straw in a glass looks broken.
- The sky is blue because air scatters short wavelengths more than long ones.
- Sunsets look red because light passes through a longer path of air.
- A shadow forms where an object blocks light.
- A convex lens brings parallel rays together at a focus.
- Ultraviolet light is invisible to people but can be seen by many insects.

# sound
- Sound is a vibration that travels through a material.
- Sound cannot travel through empty space.
- The pitch of a sound depends on its frequency.
- Sound moves through air at about 340 meters per second.
- An echo is sound that returns from a distant surface.
- Soft curtains and carpets absorb sound and make a room quieter.
- Bats and dolphins find their way with echoes.
- A longer string produces a lower note than a shorter one under the same tension.
- The siren of a passing vehicle drops in pitch as it moves away.

# magnets
- Every magnet has a north pole and a south pole.
- Like poles repel each other, and unlike poles attract.
- Iron, nickel and cobalt are strongly magnetic metals.
- A magnet cut in half becomes two complete magnets.
- The Earth acts like a giant magnet because of motion in its liquid outer core.
- A compass needle lines up with the magnetic field of the Earth.
- An electric current creates a magnetic field around a wire.
- Heating a magnet strongly destroys its magnetism.
- Electric motors turn because of forces between magnets and currents.

# simple machines
- The classic simple machines are the lever, the wheel and axle, the pulley, the inclined plane, the wedge
  and the screw.
- A lever lets a small force move a heavy load over a short distance.
- A seesaw is a lever with the pivot in the middle.
- A ramp reduces the force needed to raise a load but lengthens the path.
- A single fixed pulley changes only the direction of a pull.
- Several pulleys together reduce the force needed to lift a weight.
- A screw is an inclined plane wrapped around a cylinder.
- An axe is a wedge that splits wood.
- No simple machine reduces the work that must be done.

# energy at home
- A light-emitting diode uses far less electricity than an old filament bulb for the same light.
- Heating rooms and water usually takes the largest share of household energy in cool climates.
- Insulation in the roof keeps warmth in during winter and heat out during summer.
- Sealing gaps around doors and windows prevents drafts.
- A refrigerator works by moving heat from the inside to the room.
- A full load uses a washing machine more efficiently than a half load.
- A lid on a pot saves energy because less heat escapes.
- A kilowatt-hour is the energy used by a one-kilowatt device in one hour.
- Many devices draw a little power even when they seem to be off.

# water and ice
- Water is most dense at about 4 degrees Celsius.
- Ice floats because it is less dense than liquid water.
- Lakes freeze from the top, which lets fish survive below.
- At sea level water boils at 100 degrees Celsius.
- Adding salt lowers the freezing point of water.
- A water molecule consists of two hydrogen atoms and one oxygen atom.
- Surface tension lets small insects walk on a pond.
- Water expands by about nine percent when it freezes, which can burst pipes.
- Evaporation takes up heat, and that is why sweating cools the skin.
"""
