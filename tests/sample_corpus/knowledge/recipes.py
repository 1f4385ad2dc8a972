"""Simple recipes (parsed by ``records.parse_recipes``)."""

TEXT = """
# lentil soup
serves: four
need: 250 g of brown lentils; one onion; two carrots; a stalk of celery; two spoons of olive oil; a liter of
  stock
steps: Chop the onion, the carrots and the celery into small pieces | Cook them gently in the oil for ten
  minutes | Add the rinsed lentils and the stock | Simmer for about half an hour until the lentils are soft
  | Season with salt and a little vinegar
tip: a bay leaf adds flavor; half of the soup can be pureed for a thicker texture; it keeps for four days in
  the refrigerator

# vegetable curry
serves: four
need: a small cauliflower; two potatoes; a cup of peas; one onion; a can of coconut milk; two teaspoons of
  curry powder
steps: Fry the sliced onion in a little oil until golden | Stir in the curry powder for one minute | Add the
  potatoes, the cauliflower and the coconut milk | Cover and cook for twenty minutes | Add the peas for the
  last five minutes
tip: serve it with rice; lime juice balances the sweetness; chickpeas make it more filling

# apple crumble
serves: six
need: six apples; 150 g of flour; 100 g of butter; 80 g of sugar; a teaspoon of cinnamon
steps: Peel and slice the apples and spread them in a dish | Sprinkle them with the cinnamon and a spoon of
  the sugar | Rub the butter into the flour and the rest of the sugar until it looks like coarse crumbs |
  Spread the crumbs over the fruit | Bake at 180 degrees Celsius for about 40 minutes
tip: oats make the topping crisper; pears work just as well; serve it warm with yogurt

# pancakes
serves: four
need: 200 g of flour; two eggs; 400 ml of milk; a pinch of salt; butter for the pan
steps: Whisk the eggs with half of the milk | Stir in the flour and the salt until smooth | Add the rest of
  the milk and let the batter rest for twenty minutes | Melt a little butter in a hot pan | Pour in a thin
  layer of batter and turn it when the edge is brown
tip: the first pancake often fails because the pan is not hot enough; keep finished ones warm in the oven;
  fill them with jam or with spinach

# tomato sauce for pasta
serves: four
need: a large can of tomatoes; two cloves of garlic; three spoons of olive oil; a handful of basil; salt
steps: Warm the sliced garlic slowly in the oil | Add the tomatoes before the garlic turns brown | Simmer
  without a lid for twenty minutes | Crush the tomatoes with a spoon | Season with salt and tear the basil
  over the top
tip: a spoon of pasta water helps the sauce to cling; a pinch of sugar softens sharp tomatoes; it freezes
  well

# oat porridge
serves: two
need: a cup of rolled oats; two cups of water or milk; a pinch of salt; an apple or a banana
steps: Bring the water or milk to a gentle boil | Stir in the oats and the salt | Cook over low heat for
  about five minutes while stirring | Take the pan off the heat and cover it for two minutes | Top with
  sliced fruit
tip: soaking the oats overnight shortens the cooking time; nuts add crunch; cinnamon goes well with apple

# potato salad
serves: six
need: a kilogram of waxy potatoes; one small onion; 200 ml of hot stock; three spoons of vinegar; four
  spoons of oil; chives
steps: Boil the potatoes in their skins until tender | Peel and slice them while they are still warm | Mix
  the chopped onion, the stock and the vinegar and pour the mixture over the slices | Let the salad stand
  for half an hour | Fold in the oil and the chives
tip: warm potatoes take up more dressing; do not use floury potatoes; cucumber makes it fresher

# roast chicken
serves: four
need: one chicken; a lemon; a few sprigs of thyme; two spoons of butter; salt and pepper
steps: Heat the oven to 200 degrees Celsius | Dry the chicken and rub it with butter, salt and pepper | Put
  the lemon and the thyme inside | Roast for about an hour and a quarter until the thickest part reaches 75
  degrees Celsius | Let it rest for ten minutes before carving
tip: save the bones for stock; roast potatoes in the same pan; wash hands and boards after handling raw
  chicken

# bean chili
serves: six
need: two cans of kidney beans; a can of tomatoes; one onion; a red pepper; two teaspoons of ground cumin;
  chili to taste
steps: Fry the chopped onion and pepper until soft | Add the cumin and the chili and stir for a minute | Add
  the tomatoes and the drained beans | Simmer for half an hour | Season with salt and a little cocoa powder
tip: it tastes better on the next day; serve it with rice or corn bread; add corn for sweetness

# fish baked in paper
serves: two
need: two fillets of white fish; a fennel bulb; a lemon; two spoons of olive oil; parsley
steps: Heat the oven to 200 degrees Celsius | Slice the fennel and the lemon thinly | Lay the fennel on two
  sheets of baking paper and place the fish on top | Add the lemon and the oil and fold the paper into
  parcels | Bake for about fifteen minutes
tip: open the parcels at the table; the fish is done when it flakes; zucchini can replace the fennel

# banana bread
serves: eight
need: three ripe bananas; 200 g of flour; 100 g of sugar; 80 g of melted butter; two eggs; two teaspoons of
  baking powder
steps: Heat the oven to 175 degrees Celsius | Mash the bananas with a fork | Stir in the butter, the sugar
  and the eggs | Fold in the flour and the baking powder | Bake in a loaf pan for about 50 minutes
tip: very ripe bananas give the best flavor; walnuts are a good addition; a toothpick should come out clean

# rice pudding
serves: four
need: 150 g of short-grain rice; a liter of milk; three spoons of sugar; a strip of lemon peel; cinnamon
steps: Bring the milk to a boil with the lemon peel | Add the rice and turn the heat low | Cook for about 35
  minutes and stir often | Remove the peel and stir in the sugar | Serve it warm or cold with cinnamon
tip: stirring prevents burning; cherries go well with it; it thickens as it cools

# omelet with herbs
serves: one
need: three eggs; a spoon of butter; chopped chives and parsley; salt
steps: Beat the eggs with the salt | Melt the butter until it foams | Pour in the eggs and draw the edges
  toward the middle | Add the herbs when the top is nearly set | Fold the omelet and slide it onto a plate
tip: a small pan is best for three eggs; grated cheese can be added; eat it at once

# green salad
serves: four
need: a head of lettuce; a cucumber; a handful of radishes; three spoons of oil; one spoon of lemon juice;
  mustard
steps: Wash the lettuce and dry it well | Slice the cucumber and the radishes | Shake the oil, the lemon
  juice and a little mustard in a jar | Toss everything just before serving
tip: wet leaves repel the dressing; toasted seeds add crunch; use more lemon for bitter leaves

# flatbread
serves: six
need: 300 g of flour; 180 ml of warm water; a teaspoon of salt; two spoons of oil
steps: Mix all ingredients and knead for five minutes | Cover the dough and let it rest for half an hour |
  Divide it into six balls and roll them thin | Cook each piece in a hot dry pan until brown spots appear |
  Keep the breads soft in a towel
tip: yogurt can replace half of the water; brush them with garlic butter; they freeze well

# mushroom risotto
serves: four
need: 300 g of risotto rice; 250 g of mushrooms; one onion; a liter of hot stock; 50 g of grated hard
  cheese; butter
steps: Fry the mushrooms and set them aside | Soften the chopped onion in butter and add the rice | Add the
  hot stock one ladle at a time while stirring | Continue for about eighteen minutes until the rice is
  creamy but firm | Stir in the cheese and the mushrooms
tip: the stock must stay hot; do not wash the rice; rest the risotto for two minutes

# carrot cake
serves: ten
need: 300 g of grated carrots; 250 g of flour; 180 g of sugar; 180 ml of oil; three eggs; two teaspoons of
  baking powder
steps: Heat the oven to 180 degrees Celsius | Beat the eggs with the sugar and the oil | Stir in the flour
  and the baking powder | Fold in the carrots | Bake for about 45 minutes and let the cake cool
tip: cream cheese makes a good frosting; nutmeg adds warmth; it stays moist for days

# lemonade
serves: six
need: four lemons; 120 g of sugar; a liter and a half of cold water; mint leaves
steps: Dissolve the sugar in a cup of hot water | Let the syrup cool | Press the lemons and strain the juice
  | Mix the juice, the syrup and the cold water | Add ice and mint
tip: roll the lemons before pressing; use less sugar with sweet lemons; sparkling water makes it lively

# stuffed peppers
serves: four
need: four large peppers; a cup of cooked rice; 200 g of crumbled cheese; two tomatoes; oregano
steps: Cut off the tops of the peppers and remove the seeds | Mix the rice, the cheese, the chopped tomatoes
  and the oregano | Fill the peppers and set them in a dish with a little water | Bake at 190 degrees
  Celsius for 40 minutes
tip: cover the dish for the first half of the time; lentils can replace the rice; red peppers are the
  sweetest

# pumpkin soup
serves: four
need: a kilogram of pumpkin; one onion; a piece of ginger; 800 ml of stock; a spoon of butter
steps: Cut the pumpkin into cubes | Cook the chopped onion and the ginger in the butter | Add the pumpkin
  and the stock | Simmer for twenty-five minutes and puree the soup | Season with salt and a pinch of nutmeg
tip: the skin of some kinds can be eaten; roasted seeds make a good topping; orange juice adds freshness
"""
