"""Plots of short stories (parsed by ``records.parse_plots``)."""

TEXT = """
# the key
- slots: thing = a brass key; short = key; where = under a loose floorboard; opens = the old clock in the
  town hall
- slots: thing = a small iron key; short = key; where = in the pocket of a secondhand coat; opens = a chest
  in the cellar of the library
- slots: thing = a bent silver key; short = key; where = at the bottom of a flowerpot; opens = the gate of
  the walled garden
- slots: thing = a heavy black key; short = key; where = behind a picture frame; opens = the boathouse by
  the river
- step: {When}, {name} found {thing} {where}. | {name} of {place} was tidying up {when} when {he} came
  across {thing} {where}. | It began {when}, when {name} found {thing} {where}.
- step: {He} turned it over in {his} hand and wondered what it might open. | There was no label on it, only
  a scratch in the shape of a star. | It was cold and heavier than it looked.
- step: First {he} tried it in every door at home, but it fitted none of them. | No lock in the house would
  take it. | {His} own doors refused it one after another.
- step: Then {he} asked {friend}, who had lived in {place} for seventy years. | The next day {he} showed it
  to {friend}, who knew every building in {place}. | {friend}, the oldest neighbor {he} had, looked at it
  for a long time.
- step: "I have seen that {short} before," said {friend}. "Try {opens}." | "That must belong to {opens},"
  {friend} said at last. | {friend} smiled and told {him} to try {opens}.
- step: They walked there together, slowly, because {friend} used a cane. | {name} ran all the way and had
  to wait for {friend}. | It was not far, and the two of them were there within a quarter of an hour.
- step: The lock was stiff, but with a drop of oil the {short} turned. | At the third try the {short} turned
  with a dry click. | The {short} slid in as if it had been used the day before.
- step: Inside lay a bundle of letters that the people of {place} had written to those who would come after
  them. | Behind it they found a tin box with photographs of {place} as it had been long ago. | There they
  found a notebook with the names of everyone who had built the first houses of {place}.
- step: {name} gave the find to the town, and it is still on display in the little museum. | They carried
  everything to the school, where the children look at it every autumn. | {name} kept the {short}, but the
  find now belongs to everyone in {place}.

# the attempt
- slots: goal = bake a loaf that did not burn; try1 = the oven was far too hot; try2 = the dough had not
  risen; tip = let the dough rest overnight in a cool place; end = the loaf came out brown and light
- slots: season = autumn; goal = grow a pumpkin for the autumn fair; try1 = the snails ate the seedlings;
  try2 = the soil was too dry; tip = mulch the bed with straw and water it every morning; end = the pumpkin
  was too heavy to lift alone
- slots: goal = learn to whistle the old harbor song; try1 = only air came out; try2 = the high notes
  cracked; tip = begin with three notes and practice them softly; end = the whole song came out clear
- slots: season = warm; goal = build a kite that could fly in light wind; try1 = the frame was too heavy;
  try2 = the tail was too short; tip = use thin split bamboo and a longer tail; end = the kite climbed until
  it was only a dot
- slots: goal = carve a spoon from cherry wood; try1 = the bowl split along the grain; try2 = the handle
  came out crooked; tip = work with the grain and keep the knife sharp; end = the spoon lay smooth and
  straight in the hand
- slots: goal = repair an old radio; try1 = the wrong wire was joined; try2 = the new battery was empty; tip
  = draw each wire on paper before touching it; end = music filled the kitchen again
- step: {name} lived in {place} and wanted very much to {goal}. | All {name} wanted that year was to {goal}.
  | In {place} there lived {a_child} called {name}, whose great wish was to {goal}.
- step: The first attempt failed because {try1}. | At the first try {try1}, and nothing came of it. | On
  Monday {he} tried, but {try1}.
- step: The second attempt was no better, since {try2}. | {He} tried again a few days later, but this time
  {try2}. | On Thursday {he} started over, only to find that {try2}.
- step: {name} sat down on the steps and thought about giving up. | For a while {he} was too annoyed to
  think about it. | "Perhaps I am simply not made for this," {he} said to the cat.
- step: {friend} came by and asked what was wrong. | That evening {friend} knocked at the door to borrow
  some sugar and heard the story. | Luckily {friend}, who was passing, stopped to listen.
- step: "I failed five times before it worked," said {friend}. "You should {tip}." | {friend} laughed kindly
  and said, "The trick is to {tip}." | "Do not hurry," was the advice of {friend}, "and {tip}."
- step: {name} wrote the advice on a slip of paper and hung it on the wall. | {He} did exactly that,
  although it took patience. | This time {name} took no shortcuts.
- step: {When}, {end}. | And {when}, at last, {end}. | It was worth the wait: {when}, {end}.
- step: {He} shared the joy with {friend} first of all. | Since then {name} has told many others what
  {friend} told {him}. | {name} still knows every word of the advice by heart.

# the runaway
- slots: season = rain; animal = a gray donkey; kind = donkey; lost = an open gate; found = in the shade of
  the mill; clue = hoofprints in the mud
- slots: season = warm; animal = a spotted goat; kind = goat; lost = a gap in the hedge; found = on the roof
  of the shed; clue = nibbled roses
- slots: animal = an old sheepdog; kind = dog; lost = a clap of thunder; found = under the bridge; clue =
  paw prints on the path
- slots: animal = a white goose; kind = goose; lost = a broken fence; found = among the swans on the pond;
  clue = a trail of feathers
- slots: animal = a tame crow; kind = crow; lost = an open window; found = on the church tower; clue = a
  shiny button on the doorstep
- step: {name} kept {animal} behind the house in {place}. | Everyone in {place} knew {name} and {his}
  companion, {animal}. | On a small farm near {place}, {name} cared for {animal}.
- step: {When}, the {kind} was gone. | It happened {when}: the {kind} had disappeared. | But {when} the
  {kind} was nowhere to be seen.
- step: The cause was soon clear: {lost}. | Nobody had to ask how it could happen, for there had been
  {lost}. | {Lost} explained everything.
- step: {name} put on {his} boots and began to search. | {He} took a piece of bread and set out at once. |
  Without finishing breakfast, {he} went out to look.
- step: At the corner {he} noticed {clue}. | After half an hour {he} discovered {clue}. | The only sign was
  {clue}.
- step: {friend} joined the search and called from the other side of the road. | On the way {he} met
  {friend}, who offered to help. | {friend} had seen something move near the river and pointed the way.
- step: They found the {kind} {found}, quite content. | And there was the {kind}, {found}, as if nothing had
  happened. | Finally they heard a familiar sound and found the {kind} {found}.
- step: It took some bread and a good deal of patience to bring it home. | The way home was slow, because
  the {kind} wanted to stop everywhere. | {name} was too relieved to scold.
- step: That same evening {he} repaired what had to be repaired. | From then on {name} checked everything
  twice before going to bed. | {friend} stayed for supper, and the {kind} slept soundly.

# the working day
- slots: season = fog; job = ferry pilot; work = steered the ferry; trouble = the fog was so thick that the
  far bank had vanished; solution = ringing a bell every minute and listening to the echo
- slots: job = baker; work = fired the oven before dawn; trouble = the delivery of flour did not arrive;
  solution = baking flat cakes from oats and potatoes
- slots: season = winter; job = postal carrier; work = brought the mail to the hill farms; trouble = snow
  had blocked the road; solution = tying the bags to a sled and following the fence posts
- slots: season = winter; job = teacher; work = taught all ages in one room; trouble = the stove went out in
  the middle of a lesson; solution = teaching geography by walking around the room from country to country
- slots: job = lighthouse keeper; work = looked after the lamp; trouble = the motor that turned the lamp
  stopped; solution = turning the lamp by hand all night
- slots: season = warm; job = beekeeper; work = tended forty hives; trouble = a swarm settled on the door of
  the town hall; solution = placing an empty hive below it and waiting for dusk
- slots: season = warm; job = clockmaker; work = kept the tower clock on time; trouble = a bird had built a
  nest on the minute hand; solution = setting up a sundial in the square until the young birds had flown
- step: {name} was the {job} of {place} and {work} every day. | For eleven years {name}, the {job} of
  {place}, {work}. | In {place} everybody relied on {name}, the {job}, who {work}.
- step: {He} liked the work because each day was a little different. | It was not well paid, but {he} would
  not have changed places with anyone. | People said that one could set a watch by {him}.
- step: {When}, however, {trouble}. | Then, {when}, {trouble}. | All went well until, {when}, {trouble}.
- step: Some people thought that nothing could be done. | "We shall have to wait," said {friend}. | A small
  crowd gathered and shook their heads.
- step: {name} thought for a moment and had an idea. | {name} made a cup of tea, which was what {he} always
  did before deciding anything. | But {name} did not want to wait.
- step: {He} solved the problem by {solution}. | The answer, {he} decided, lay in {solution}. | There was
  one way left: {solution}.
- step: {friend} offered to help, and together they managed. | With {friend} at {his} side, {he} kept going
  until it was over. | It was hard work, and {friend} brought soup.
- step: By the next day everything was back to normal. | In the end nobody came to harm, and the story was
  told for years. | The next morning the people of {place} found a basket of pears at their door with a note
  of thanks for their patience.
- step: {name} only shrugged and went back to work. | When they thanked {him}, {name} said that anyone would
  have done the same. | Since that day there has been a small bell in the square that bears the name of
  {name}.

# the journey
- slots: trip = to see the sea for the first time; carry = a sandwich and a blue umbrella; obstacle = the
  bus broke down halfway; sight = a gray line that slowly turned to silver
- slots: trip = to visit an aunt on the other side of the mountains; carry = a jar of plum jam wrapped in a
  scarf; obstacle = the train stopped in a tunnel; sight = the aunt waving a red cloth from the platform
- slots: trip = to return a library book that was ten years late; carry = the book and all the coins from a
  jar; obstacle = the bridge was closed for repairs; sight = the librarian laughing behind her desk
- slots: trip = to hear an orchestra play; carry = a ticket folded into a shoe; season = rain; obstacle =
  the path was flooded; sight = sixty musicians tuning to a single note
- slots: season = winter; trip = to plant an apple tree where an old one had fallen; carry = a spade and a
  young tree in a bucket; obstacle = the ground was frozen a hand deep; sight = the first pale leaf in April
- step: {name} had made up {his} mind {trip}. | For months {name} had planned {trip}. | Nobody in {place}
  was surprised when {name} decided {trip}.
- step: {When}, {he} set out from {place} with {carry}. | So {he} left {place} {when} with {carry}. | {He}
  packed {carry} and left the house {when}.
- step: The first hours were easy, and {he} counted the trees along the road. | {He} walked fast because
  {he} was excited. | At first everything went as planned.
- step: Then {obstacle}. | Suddenly there was a difficulty: {obstacle}. | What {he} had not expected was
  that {obstacle}.
- step: An old acquaintance, {friend}, happened to be there as well. | There {he} met {friend}, who had the
  same problem. | {friend}, a stranger until then, sat down beside {him}.
- step: They shared what food they had and told each other stories. | To pass the time they named all the
  rivers they knew. | "Every journey needs a pause," said {friend}.
- step: After a while they found another way and went on together. | Two hours later they could continue. |
  With some help from people nearby they were soon moving again.
- step: And then {name} saw it: {sight}. | What {he} remembered afterward was {sight}. | The reward was
  {sight}.
- step: {He} would not have missed it for anything. | {He} laughed out loud, because it had been worth every
  step. | On the way home {he} and {friend} promised to write to each other, and they did.

# the loan
- slots: object = ladder; owner1 = painted the fence; owner2 = pruned the cherry tree; rule = return it the
  same evening
- slots: object = wheelbarrow; owner1 = moved a heap of sand; owner2 = carried pumpkins to the market; rule
  = return it clean
- slots: object = sewing machine; owner1 = hemmed the curtains; owner2 = made costumes for the school play;
  rule = leave a new needle in it
- slots: object = large soup pot; owner1 = cooked for a wedding; owner2 = boiled apples for jelly; rule =
  bring back a bowl of whatever was cooked in it
- slots: object = bicycle; owner1 = rode to the dentist; owner2 = delivered newspapers; rule = pump up the
  tires after every ride
- step: There was only one {object} in the street where {name} lived, and it belonged to {him}. | {name} of
  {place} owned a {object} that everyone liked to borrow. | When {name} moved to {place}, {he} brought
  little more than a {object}.
- step: First {friend} borrowed it and {owner1}. | In spring {friend} asked for it and {owner1}. | {friend}
  was the first to knock; {friend} {owner1}.
- step: Then {second} came and {owner2}. | A week later it was {second} who {owner2}. | Next {second}, from
  the house across the road, {owner2}.
- step: Soon {name} did not know where the {object} was. | {When}, {name} needed the {object} and could not
  find it. | One day {he} looked in the shed, and the {object} was not there.
- step: {He} asked at every door, and at every door {he} was sent to the next. | "I gave it back," said
  {friend}. "So did I," said {second}. | It turned out that it had gone from hand to hand through half of
  {place}.
- step: Instead of getting angry, {name} invited all the neighbors to supper. | {name} laughed and put the
  kettle on. | That evening {he} called everyone together.
- step: They agreed on one rule: whoever borrowed the {object} had to {rule}. | After some talk they wrote a
  rule on a card: {rule}. | {second} proposed a simple rule, and everyone agreed to {rule}.
- step: The rule worked so well that others began to lend things too. | Within a year there was a shelf of
  shared tools in the old bus shelter. | Since then nobody has had to search.
- step: {name} says that the {object} has never been in better shape. | The rule, written on a card, hangs
  beside the door to this day. | And the {object}? It is out on loan, of course.
"""
