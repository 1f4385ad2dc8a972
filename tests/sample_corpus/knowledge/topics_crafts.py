"""General topics of food, home, crafts and tools (parsed by ``records.parse_topics``)."""

TEXT = """
# baking bread
- A basic bread dough contains flour, water, yeast and salt.
- Kneading lines up gluten strands, which trap gas and give the loaf its structure.
- Yeast feeds on sugars and releases carbon dioxide.
- Dough rises faster in a warm kitchen and more slowly in a refrigerator.
- A slow cold rise gives bread a fuller flavor.
- Steam in the oven keeps the crust soft at first, so that the loaf can expand.
- A loaf is usually done when it sounds hollow if tapped on the bottom.
- Bread should cool on a rack before it is sliced.
- Sourdough is raised by a culture of wild yeast and lactic acid bacteria.
- Salt strengthens the dough and slows the yeast.

# making soup
- A good soup often begins with onions cooked gently in fat.
- Bones, vegetables and herbs give flavor to a stock.
- Simmering extracts flavor without making the broth cloudy.
- Root vegetables need longer to cook than leafy greens.
- A little lemon juice or vinegar brightens a dull soup.
- Pureed beans or potatoes thicken soup without cream.
- Salt is best added in small amounts and tasted as the soup reduces.
- Pasta cooked in the soup absorbs broth and softens overnight.
- Soup keeps for several days in the refrigerator and often tastes better on the second day.

# tea
- All true tea comes from the leaves of one plant, Camellia sinensis.
- Green tea is heated soon after picking to prevent oxidation.
- Black tea leaves are fully oxidized, which darkens them.
- Oolong tea is partly oxidized.
- Green tea is usually brewed with water below the boiling point.
- Steeping too long makes tea bitter because more tannin dissolves.
- Herbal infusions such as mint contain no tea leaves.
- Tea reached Europe in quantity in the seventeenth century.
- Matcha is powdered green tea that is whisked into water.

# coffee
- Coffee beans are the seeds of the fruit of the coffee plant.
- The two main species are arabica and robusta.
- Robusta beans contain more caffeine than arabica beans.
- Roasting turns green beans brown and creates hundreds of aromas.
- A fine grind suits espresso, while a coarse grind suits a French press.
- Coffee plants grow best in a belt around the equator.
- Ground coffee loses its aroma faster than whole beans.
- The first coffeehouses opened in the Middle East before the drink spread to Europe.
- Cold brew is made by steeping grounds in cool water for many hours.

# cheese
- Cheese begins when milk is curdled with acid, bacteria or rennet.
- The solid part is called curd, and the liquid part is called whey.
- Pressing removes whey and makes a firmer cheese.
- Salt preserves cheese and slows unwanted bacteria.
- Blue cheese owes its color to a mold added to the curd.
- The holes in Swiss-type cheese are made by gas from bacteria.
- Hard cheeses may ripen for a year or longer.
- Fresh cheeses such as ricotta are eaten within days.
- Traditional feta is made from sheep's milk, sometimes with some goat's milk.

# spices
- Black pepper is the dried fruit of a climbing vine from southern India.
- Cinnamon is the inner bark of a tropical tree.
- Saffron comes from the stigmas of a crocus and is costly because it is picked by hand.
- Cloves are dried flower buds.
- Vanilla is made from the pods of an orchid.
- Whole spices keep their aroma longer than ground ones.
- Toasting spices in a dry pan brings out their scent.
- The heat of chili peppers comes from capsaicin.
- Nutmeg and mace come from the same fruit.
- The spice trade linked Asia, Africa and Europe for many centuries.

# preserving food
- Drying removes the water that microbes need to grow.
- Salting and sugaring draw water out of food.
- Pickling keeps vegetables in an acid liquid such as vinegar.
- Fermentation turns cabbage into sauerkraut with the help of lactic acid bacteria.
- Freezing slows spoilage but does not kill all microbes.
- Canning heats food in sealed jars to destroy germs.
- Low-acid vegetables must be pressure canned to prevent botulism.
- Smoking adds flavor and surface protection to fish and meat.
- Jam keeps well because it contains a large share of sugar.

# the kitchen garden
- Lettuce, radishes and peas grow well in cool spring weather.
- Tomatoes and beans should be planted after the last frost.
- Mulch keeps soil moist and suppresses weeds.
- Crop rotation helps to prevent a buildup of pests and diseases.
- Most vegetables need at least six hours of sun a day.
- Watering in the morning reduces loss by evaporation and lets leaves dry.
- Peas and beans live with bacteria that take nitrogen from the air.
- Marigolds and herbs attract helpful insects.
- Raised beds warm up early and drain well.
- Slugs can be collected by hand in the evening.

# compost
- Compost is made from plant waste that microbes break down.
- A good heap mixes green material such as grass with brown material such as dry leaves.
- Turning the heap brings in air and speeds decay.
- The center of an active heap can become hot to the touch.
- The heap should be as moist as a wrung-out sponge.
- Meat and cooked food may attract rats and are best left out.
- Finished compost is dark, crumbly and smells of earth.
- Worm bins work well in small homes.
- Compost returns nutrients to the soil and helps it hold water.

# pottery
- Pottery is made by shaping clay and hardening it with heat.
- Clay must be kneaded to remove air bubbles before it is shaped.
- The potter's wheel was in use in Mesopotamia more than 5,000 years ago.
- Coiling builds a pot from long rolls of clay.
- A first firing turns dry clay into hard, porous ware.
- Glaze melts in the kiln and forms a glassy coat.
- Porcelain is fired at a high temperature and may be translucent when thin.
- Pots that dry too quickly tend to crack.
- Archaeologists use pottery fragments to date ancient sites.

# weaving
- Weaving crosses two sets of threads at right angles.
- The lengthwise threads are called the warp, and the crosswise threads are called the weft.
- In plain weave each weft thread passes over one warp thread and under the next.
- Twill shows diagonal lines and is used for denim.
- A shuttle carries the weft thread through the open shed.
- The Jacquard loom of 1804 used punched cards to control patterns.
- Tapestries are woven pictures in which the weft hides the warp.
- Wool is warm because it traps air.
- Linen is made from the stems of the flax plant.

# knitting
- Knitting forms fabric from loops of yarn drawn through other loops.
- The knit stitch and the purl stitch are the basis of most patterns.
- Knitted fabric stretches more than woven fabric.
- Thick needles and thick yarn make a garment grow quickly.
- A small test swatch shows whether the size will be right.
- Circular needles allow socks and sweaters to be made without a seam.
- A dropped stitch can be picked up again with a crochet hook.
- Fishing communities developed their own sweater patterns.
- Hand washing in cool water prevents wool from felting.

# woodworking
- Wood swells across the grain when it takes up moisture.
- Hardwood comes from broad-leaved trees, and softwood comes from conifers.
- A saw should be allowed to cut with light pressure.
- Planing with the grain leaves a smooth surface.
- A mortise and tenon joint holds two pieces without nails.
- Dovetail joints resist being pulled apart and are common in drawers.
- Glue needs clamping pressure and time to cure.
- Sanding from coarse to fine grit prevents visible scratches.
- Sharp chisels are safer than dull ones because they slip less.
- Oil or varnish protects wood from water and dirt.

# blacksmithing
- A blacksmith heats iron or steel until it is soft enough to shape.
- The color of hot steel tells the smith its temperature.
- An anvil provides a hard surface for hammering.
- Drawing out makes a bar longer and thinner.
- Quenching hot steel in water or oil makes it hard but brittle.
- Tempering reduces brittleness by gentle reheating.
- Bellows blow air into the fire and raise its heat.
- Smiths once made nails, hinges, horseshoes and farm tools for every village.
- Forge welding joins two pieces by hammering them together at white heat.

# paper
- Paper is made from plant fibers that are spread in a thin layer and dried.
- The craft developed in China about two thousand years ago.
- Before paper, people wrote on clay tablets, papyrus and parchment.
- Early European paper was made from linen and cotton rags.
- Wood pulp became the main source of fiber in the nineteenth century.
- A watermark is a thinner area that shows when paper is held to the light.
- Recycled fibers become shorter each time they are pulped.
- Acid in cheap paper makes old books turn yellow and brittle.
- Handmade paper is formed on a screen set in a frame.

# printing
- Woodblock printing was practiced in China more than a thousand years ago.
- Movable type was first made from clay in China in the eleventh century.
- Johannes Gutenberg introduced printing with metal type in Europe around 1450.
- Letters were set by hand in mirror image.
- Printing made books cheaper and spread new ideas quickly.
- Lithography relies on the fact that oil and water do not mix.
- Color printing usually combines cyan, magenta, yellow and black inks.
- The word font once meant a complete set of type of one size.
- Newspapers grew rapidly after steam-powered presses appeared.

# the wheel
- The oldest known wheels date from the fourth millennium BCE.
- Early cart wheels were solid disks of wood.
- Spokes made wheels lighter and chariots faster.
- Rollers under heavy stones reduce friction but must be moved constantly.
- Iron rims protected wooden wheels from wear.
- Ball bearings reduce friction between a wheel and its axle.
- Air-filled tires give a smoother ride than solid ones.
- Gears are toothed wheels that pass on rotation.
- Water wheels drove mills for grinding grain long before steam engines.

# stone tools
- The oldest known stone tools are more than three million years old.
- Flint and obsidian break with sharp edges.
- Hand axes were chipped on both faces and used for many tasks.
- Toolmakers struck flakes from a core with a hammer stone.
- Pressure with a piece of antler allowed fine shaping.
- Fitting a stone point to a wooden shaft created an effective spear.
- Polished stone axes helped early farmers to clear forests.
- Wear marks reveal whether a tool cut meat, hide or plants.
- Stone tools survive far longer than those made from wood or bone.

# the plow
- The plow turns the soil and buries weeds before sowing.
- The earliest plows were simple digging sticks drawn by people or animals.
- Oxen pulled plows in Mesopotamia and Egypt thousands of years ago.
- An iron share cuts through heavy soil better than a wooden one.
- The curved moldboard lifts the soil and turns it over.
- The horse collar let horses pull without choking and made plowing faster.
- John Deere sold polished steel plows for sticky prairie soil in the nineteenth century.
- Many farmers now plow less in order to protect the soil from erosion.
- Terraces made it possible to farm steep hillsides.

# the clock
- Sundials show time by the position of a shadow.
- Water clocks measured time by a steady flow of water.
- Mechanical clocks appeared in European towers around the end of the thirteenth century.
- Christiaan Huygens built the first pendulum clock in 1656.
- A spring allowed clocks to become small enough to carry.
- Accurate sea clocks helped sailors to find longitude.
- A quartz crystal vibrates 32,768 times per second in a typical watch.
- Atomic clocks define the second by a property of cesium atoms.
- Railways led many countries to adopt standard time.

# the compass
- A compass shows direction by means of a magnetized needle.
- The magnetic compass was used for navigation in China by the eleventh or twelfth century.
- The magnetic poles do not coincide exactly with the geographic poles.
- The difference between true north and magnetic north is called declination.
- Iron objects nearby can disturb a compass.
- Sailors set the compass in a pivoted frame to keep it level.
- A map and compass together allow hikers to find a route.
- A gyrocompass finds true north without using magnetism.

# glass
- Ordinary glass is made from sand, soda and lime melted together.
- Glassblowing was invented near the eastern Mediterranean in the first century BCE.
- Small amounts of metal oxides give glass its color.
- Glass must cool slowly to prevent it from cracking.
- Venice became famous for fine glass made on the island of Murano.
- Float glass is formed on a bath of molten tin and has very flat surfaces.
- Glass can be recycled again and again without loss of quality.
- Borosilicate glass withstands sudden changes of temperature.
- Stained glass windows hold colored pieces in strips of lead.

# bridges
- A beam bridge rests on supports at each end.
- An arch carries weight outward to its ends.
- Roman arches of stone have carried roads and water for two thousand years.
- A suspension bridge hangs its deck from cables.
- Trusses use triangles because a triangle keeps its shape.
- Engineers leave gaps in long bridges so that the deck can expand in summer.
- Wind can make a poorly designed bridge swing dangerously.
- Rope bridges made of grass were built by the Inca.
- Movable bridges open to let ships pass.

# lighthouses
- A lighthouse warns ships of dangerous coasts and guides them to harbor.
- The lighthouse of Alexandria was one of the wonders of the ancient world.
- Augustin Fresnel designed a lens of rings that sends light far out to sea.
- Each lighthouse has its own pattern of flashes.
- Keepers once trimmed wicks and carried oil up the stairs every night.
- Most lighthouses now work automatically.
- Foghorns gave warning when the light could not be seen.
- Towers on rocks had to withstand the full force of waves.
- White and red bands make a tower easy to see by day.
"""
