"""Animals with home, food, size and facts (parsed by ``records.parse_animals``)."""

TEXT = """
# African elephants
group: mammals
home: savannas and forests of Africa
food: grass, leaves, bark and fruit
size: adult bulls often weigh five to six tonnes
fact: the trunk contains tens of thousands of muscle bundles | the large ears help to release heat | the
  oldest female usually leads the family group | elephants use low sounds that travel for kilometers | a
  calf is carried for about 22 months before birth

# giraffes
group: mammals
home: open woodlands of Africa
food: leaves of acacia and other trees
size: adult males may reach more than five meters in height
fact: the long neck has seven bones, as many as the human neck | a calf falls nearly two meters at birth | a
  dark tongue reaches around thorns | strong blood pressure carries blood up to the brain | no two coats
  have exactly the same pattern

# lions
group: mammals
home: grasslands and savannas of Africa, with a small group in western India
food: zebras, antelopes and other large prey
size: adult males commonly weigh between 150 and 225 kilograms
fact: lions live in groups called prides | lionesses do most of the hunting | the roar carries for several
  kilometers | cubs are born with spots that fade | lions rest for most of the day

# gray wolves
group: mammals
home: forests, tundra and mountains of the northern hemisphere
food: deer, elk and smaller animals
size: most adults weigh between 25 and 50 kilograms
fact: a pack is usually a family with its young | howling helps the pack to stay in touch | wolves are the
  ancestors of dogs | a wolf can travel dozens of kilometers in one day | pups are born blind in a den

# brown bears
group: mammals
home: forests and mountains of Europe, Asia and North America
food: berries, roots, fish, insects and carrion
size: large coastal males may exceed 400 kilograms
fact: brown bears sleep through much of the winter in dens | cubs are born during the winter sleep | the
  sense of smell is excellent | a hump of muscle lies above the shoulders | bears gather at rivers when
  salmon swim upstream

# polar bears
group: mammals
home: sea ice and coasts of the Arctic
food: mainly ringed and bearded seals
size: adult males may weigh more than 500 kilograms
fact: the skin beneath the fur is black | the hairs are hollow and without pigment | a thick layer of fat
  keeps the body warm | polar bears are strong swimmers | pregnant females dig dens in the snow

# red foxes
group: mammals
home: woodland, farmland and towns across much of the northern hemisphere
food: mice, birds, insects and fruit
size: adults usually weigh between 4 and 10 kilograms
fact: a fox can hear mice moving under snow | the bushy tail serves as a blanket in cold weather | young
  foxes are called kits or cubs | foxes store extra food by burying it | most red foxes have a white tip on
  the tail

# hedgehogs
group: mammals
home: gardens, hedges and woodland edges of Europe, Asia and Africa
food: beetles, caterpillars, worms and slugs
size: a European hedgehog commonly weighs about one kilogram
fact: an adult carries several thousand spines | the spines are stiff hollow hairs | a frightened hedgehog
  rolls into a ball | European hedgehogs hibernate in nests of leaves | cow's milk is not a suitable food
  for hedgehogs

# beavers
group: mammals
home: rivers and ponds of North America, Europe and parts of Asia
food: bark, twigs and water plants
size: adults often weigh around 20 kilograms
fact: beavers build dams from branches and mud | the front teeth never stop growing | the entrance of the
  lodge lies under water | the flat tail steers while swimming and slaps the water as an alarm | beaver
  ponds provide homes for many other species

# bats
group: mammals
home: nearly all parts of the world except the polar regions
food: insects, fruit, nectar and, in a few species, blood
size: the smallest species weighs about two grams
fact: bats are the only mammals capable of powered flight | many species find prey with ultrasonic calls |
  the wing is a skin stretched between long fingers | most bats give birth to one pup at a time | some bats
  pollinate flowers at night

# blue whales
group: mammals
home: oceans around the world
food: krill, which they filter with baleen plates
size: adults may be more than 25 meters long
fact: the blue whale is the largest animal known to have lived | the heart of a blue whale is about as heavy
  as a small piano | calves drink hundreds of liters of milk a day | low calls can be heard over great
  distances under water | whales breathe air through blowholes

# bottlenose dolphins
group: mammals
home: warm and temperate seas
food: fish and squid
size: adults measure between two and four meters
fact: each dolphin has its own signature whistle | dolphins sleep with one half of the brain at a time |
  clicks help them to find prey | mothers nurse their calves for more than a year | groups may work together
  to herd fish

# kangaroos
group: mammals
home: grasslands and open woods of Australia
food: grass and other plants
size: large red males may weigh more than 80 kilograms
fact: a newborn is about the size of a bean | the young, called a joey, grows in the pouch of the mother |
  hopping saves energy at high speed | the heavy tail balances the body | kangaroos rest in the shade during
  the heat of the day

# koalas
group: mammals
home: eucalyptus forests of eastern Australia
food: eucalyptus leaves
size: adults weigh between 4 and 15 kilograms
fact: koalas are marsupials and not bears | they sleep for up to twenty hours a day | fingerprints of koalas
  resemble those of humans | a long gut helps to digest tough leaves | the young ride on the back of the
  mother

# platypuses
group: mammals
home: streams of eastern Australia and Tasmania
food: insect larvae, shrimps and worms
size: adults are about half a meter long
fact: the platypus lays eggs | the bill senses weak electric fields of prey | males carry a venomous spur on
  each hind leg | webbed feet help platypuses to swim | mothers feed their young with milk that seeps
  through the skin

# dromedary camels
group: mammals
home: dry regions of Africa, the Middle East and Australia
food: grasses, shrubs and thorny plants
size: adults stand about two meters high at the shoulder
fact: the hump stores fat rather than water | a thirsty camel can drink more than a hundred liters in a
  short time | long lashes keep sand out of the eyes | broad feet do not sink into sand | camels have
  carried goods across deserts for thousands of years

# horses
group: mammals
home: farms and grasslands in most parts of the world
food: grass, hay and grain
size: height is measured at the withers, often in hands of about ten centimeters
fact: horses can doze while standing | a foal can stand within an hour or two of birth | the hoof grows
  continually and needs care | ears show the mood of the animal | people first tamed horses on the steppes
  of Eurasia

# domestic cats
group: mammals
home: households all over the world
food: meat, since they need nutrients found in animal tissue
size: most adults weigh between 3 and 6 kilograms
fact: whiskers help a cat to judge narrow openings | cats see well in dim light | a cat that falls can turn
  in the air to land on its feet | purring is not always a sign of contentment | cats cannot taste sweetness

# dogs
group: mammals
home: nearly every place where people live
food: meat and many other foods
size: breeds range from about one kilogram to more than eighty
fact: dogs descend from wolves | the nose of a dog contains many millions of scent receptors | chocolate and
  grapes are poisonous to dogs | wagging the tail can signal different moods | dogs cool themselves by
  panting

# sheep
group: mammals
home: pastures on every continent except Antarctica
food: grass and herbs
size: ewes of many breeds weigh between 50 and 90 kilograms
fact: sheep recognize the faces of other sheep for a long time | the stomach has four chambers | wool grows
  back after shearing | a flock tends to move together | lambs are often born in spring

# honeybees
group: insects
home: hives and hollow trees in many climates
food: nectar and pollen
size: workers are about 12 to 15 millimeters long
fact: a worker lives only about six weeks in summer | the waggle dance shows direction and distance of
  flowers | the queen may lay more than a thousand eggs a day | bees keep the brood nest warm by shivering |
  many crops depend on pollination by bees

# ants
group: insects
home: almost every land habitat
food: seeds, insects, nectar and honeydew
size: most species measure between 2 and 15 millimeters
fact: ants live in colonies with one or more queens | scent trails guide workers to food | some ants grow
  fungus on cut leaves | an ant can carry many times its own weight | certain ants protect aphids in
  exchange for honeydew

# butterflies
group: insects
home: meadows, forests and gardens
food: nectar as adults and leaves as caterpillars
size: the largest species have wings more than 25 centimeters across
fact: a butterfly passes through egg, caterpillar, pupa and adult stages | tiny scales give the wings their
  colors | butterflies taste with their feet | monarch butterflies migrate thousands of kilometers | most
  caterpillars eat only certain plants

# dragonflies
group: insects
home: ponds, lakes and slow rivers
food: mosquitoes and other flying insects
size: common species have wings between 5 and 10 centimeters across
fact: dragonflies can hover and fly backward | large eyes cover most of the head | the young live under
  water for months or years | they catch most of the prey they chase | dragonflies existed before the
  dinosaurs

# spiders
group: arachnids
home: nearly every habitat on land
food: mainly insects
size: leg spans range from less than a centimeter to about thirty
fact: spiders have eight legs | all spiders produce silk | not all spiders build webs | most species have
  eight eyes | spiders inject venom but few are dangerous to people

# emperor penguins
group: birds
home: the ice and seas of Antarctica
food: fish, squid and krill
size: adults stand about 1.1 to 1.2 meters tall
fact: the male keeps the egg warm on his feet through the winter | huddling reduces the loss of heat |
  penguins cannot fly but swim very well | emperor penguins can dive deeper than 500 meters | parents
  recognize the call of their own chick

# barn owls
group: birds
home: farmland, grassland and open woods in many countries
food: voles, mice and shrews
size: the wings span about 80 to 95 centimeters
fact: barn owls hunt by hearing in complete darkness | soft feather edges make flight nearly silent | owls
  swallow small prey whole and cough up pellets | the heart-shaped face guides sound to the ears | owls
  cannot move their eyes and turn the head instead

# white storks
group: birds
home: wet meadows of Europe, Africa and western Asia
food: frogs, insects, mice and worms
size: the wings span about two meters
fact: storks build large nests on roofs and poles | they greet each other by clapping their bills | many
  storks spend the winter in Africa | they glide on rising warm air to save energy | young storks have dark
  bills

# hummingbirds
group: birds
home: the Americas, from Alaska to Tierra del Fuego
food: nectar and small insects
size: the bee hummingbird of Cuba weighs about two grams
fact: hummingbirds can hover and fly backward | the wings of small species beat more than fifty times a
  second | at night many lower their body temperature to save energy | long bills reach deep into flowers |
  nests may be held together with spider silk

# ostriches
group: birds
home: open plains of Africa
food: plants, seeds and insects
size: adults may be more than two and a half meters tall
fact: the ostrich is the largest living bird | ostriches can run at about 70 kilometers per hour | an
  ostrich egg weighs more than a kilogram | each foot has only two toes | ostriches do not bury their heads
  in the sand

# crows
group: birds
home: towns, farms and forests on most continents
food: seeds, insects, eggs, carrion and scraps
size: a carrion crow is about half a meter long
fact: New Caledonian crows make tools from twigs | crows remember human faces | family groups may help to
  raise the young | crows drop nuts on roads to crack them | they gather in large roosts in winter

# green sea turtles
group: reptiles
home: warm seas around the world
food: seagrass and algae as adults
size: adults commonly weigh between 110 and 190 kilograms
fact: females return to the beach where they hatched in order to lay eggs | the temperature of the sand
  decides the sex of the young | hatchlings crawl toward the brightest horizon | sea turtles must come up to
  breathe | they can live for many decades

# Nile crocodiles
group: reptiles
home: rivers, lakes and marshes of Africa
food: fish, birds and mammals that come to drink
size: large males may exceed five meters in length
fact: crocodiles have very strong jaws | the muscles that open the jaws are weak | mothers carry their young
  to the water | lost teeth are replaced throughout life | crocodiles warm themselves in the sun

# common frogs
group: amphibians
home: ponds, meadows and gardens of Europe
food: insects, snails and worms
size: adults measure 6 to 9 centimeters
fact: eggs are laid in clumps in early spring | tadpoles breathe with gills | frogs can absorb water and
  oxygen through the skin | a sticky tongue catches prey | frogs spend the winter in mud or under leaves

# octopuses
group: mollusks
home: oceans, from shallow reefs to the deep sea
food: crabs, clams and fish
size: the giant Pacific octopus can have an arm span of four meters or more
fact: an octopus has three hearts | octopus blood is blue because it contains copper | octopuses change
  color within a second | they can squeeze through very small openings | a cloud of ink confuses enemies

# Atlantic salmon
group: fish
home: rivers and the northern Atlantic Ocean
food: insects when young, and smaller fish at sea
size: adults often weigh between 4 and 10 kilograms
fact: salmon hatch in fresh water and grow up in the sea | they return to the river of their birth to spawn
  | smell helps them to find the right river | they leap over low waterfalls | the eggs are buried in gravel

# great white sharks
group: fish
home: cool coastal waters in many oceans
food: fish, seals and carrion
size: large females may reach about six meters
fact: sharks have skeletons of cartilage | teeth are replaced in rows throughout life | sharks sense the
  weak electric fields of other animals | the great white keeps its body warmer than the water around it |
  attacks on people are rare

# seahorses
group: fish
home: seagrass beds and reefs in warm shallow seas
food: tiny crustaceans
size: most species are between 2 and 30 centimeters long
fact: the male carries the eggs in a pouch | a curled tail holds on to plants | seahorses swim upright and
  slowly | they have no stomach and must eat often | each eye can move on its own
"""
