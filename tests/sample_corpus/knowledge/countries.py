"""Countries with a few stable facts (parsed by ``records.parse_countries``)."""

TEXT = """
# France
place: western Europe
capital: Paris
language: French
near: Spain; Italy; Switzerland; Germany; Luxembourg; Belgium
nature: the Loire is its longest river | Mont Blanc on the Italian border is the highest peak of the Alps |
  its shores face the Atlantic Ocean and the Mediterranean Sea
known: cheese, bread and wine | the Louvre in Paris is one of the most visited museums in the world

# Spain
place: southwestern Europe
capital: Madrid
language: Spanish
near: Portugal; France; Andorra
nature: the Pyrenees separate it from France | the Canary Islands lie off the coast of Africa | much of the
  interior is a high dry plateau
known: olive oil and oranges | the unfinished church of the Sagrada Familia stands in Barcelona

# Portugal
place: southwestern Europe
capital: Lisbon
language: Portuguese
near: Spain
nature: the Tagus reaches the Atlantic at Lisbon | the Azores are volcanic islands in the Atlantic Ocean |
  it has only one neighbor on land
known: cork and port wine | its sailors explored the coast of Africa in the fifteenth century

# Italy
place: southern Europe
capital: Rome
language: Italian
near: France; Switzerland; Austria; Slovenia
nature: the Po is its longest river | Etna in Sicily is one of the most active volcanoes in Europe | the
  peninsula has the shape of a boot
known: pasta and olive oil | Venice is built on many small islands in a lagoon

# Greece
place: southeastern Europe
capital: Athens
language: Greek
near: Albania; North Macedonia; Bulgaria; Turkey
nature: Mount Olympus is its highest mountain | it includes thousands of islands, of which fewer than 250
  are inhabited | no place in the country is very far from the sea
known: olives and feta | the ancient Olympic Games were held at Olympia

# Germany
place: central Europe
capital: Berlin
language: German
near: Denmark; Poland; Austria; Switzerland; France; the Netherlands
nature: the Rhine and the Elbe flow to the North Sea | the Zugspitze is its highest mountain | the Black
  Forest lies in the southwest
known: cars, machines and many kinds of bread | Johann Sebastian Bach spent his life there

# Switzerland
place: central Europe
capital: Bern
language: German, French, Italian and Romansh
near: France; Germany; Austria; Liechtenstein; Italy
nature: the Rhine and the Rhone rise in its mountains | Lake Geneva lies on the border with France | the
  country has no coast
known: watches, chocolate and cheese | it is divided into 26 cantons

# Norway
place: northern Europe
capital: Oslo
language: Norwegian
near: Sweden; Finland; Russia
nature: deep fjords cut into its western coast | the Sun does not set in midsummer in the far north |
  Galdhopiggen is its highest mountain
known: fish, oil and skiing | Roald Amundsen led the first party to reach the South Pole

# Sweden
place: northern Europe
capital: Stockholm
language: Swedish
near: Norway; Finland
nature: forests cover more than half of the country | Vanern is its largest lake | a bridge and tunnel
  connect it with Denmark
known: timber and furniture | Alfred Nobel was born in Stockholm

# Finland
place: northern Europe
capital: Helsinki
language: Finnish and Swedish
near: Sweden; Norway; Russia
nature: it has tens of thousands of lakes | forests cover about three quarters of the land | reindeer are
  herded in the north
known: saunas | the composer Jean Sibelius was born there

# Iceland
place: the North Atlantic Ocean
capital: Reykjavik
language: Icelandic
near:
nature: hot springs and geysers are common | the Mid-Atlantic Ridge crosses the island | Vatnajokull is its
  largest ice cap
known: fish and geothermal heat | the Icelandic parliament first met in the year 930

# Ireland
place: northwestern Europe
capital: Dublin
language: Irish and English
near: the United Kingdom
nature: the Shannon is its longest river | mild wet weather keeps the fields green | the Cliffs of Moher
  face the Atlantic Ocean
known: butter and folk music | the Book of Kells is kept in Dublin

# Poland
place: central Europe
capital: Warsaw
language: Polish
near: Germany; the Czech Republic; Slovakia; Ukraine; Belarus; Lithuania
nature: the Vistula is its longest river | the Tatra Mountains lie in the south | European bison live in the
  Bialowieza Forest
known: amber from the Baltic coast | Nicolaus Copernicus was born in Torun

# Austria
place: central Europe
capital: Vienna
language: German
near: Germany; Switzerland; Italy; Slovenia; Hungary; Slovakia; the Czech Republic
nature: the Danube flows through Vienna | the Alps cover most of the country | the Grossglockner is its
  highest mountain
known: coffeehouses and waltzes | Wolfgang Amadeus Mozart was born in Salzburg

# Hungary
place: central Europe
capital: Budapest
language: Hungarian
near: Austria; Slovakia; Ukraine; Romania; Serbia; Croatia; Slovenia
nature: the Danube divides its capital into Buda and Pest | Lake Balaton is the largest lake in central
  Europe | wide plains lie in the east
known: paprika and thermal baths | the puzzle cube was invented there by Erno Rubik

# Turkey
place: western Asia and southeastern Europe
capital: Ankara
language: Turkish
near: Greece; Bulgaria; Georgia; Armenia; Iran; Iraq; Syria
nature: the Bosporus joins the Black Sea to the Sea of Marmara | the Tigris and the Euphrates rise in its
  mountains | Mount Ararat is its highest peak
known: tea, hazelnuts and carpets | Istanbul was once called Constantinople

# Egypt
place: northeastern Africa
capital: Cairo
language: Arabic
near: Libya; Sudan; Israel
nature: most people live near the Nile | the Suez Canal connects the Mediterranean Sea with the Red Sea |
  desert covers most of the land
known: cotton and dates | the pyramids of Giza are more than 4,000 years old

# Morocco
place: northwestern Africa
capital: Rabat
language: Arabic and Berber
near: Algeria
nature: the Atlas Mountains cross the country | the Strait of Gibraltar separates it from Spain | the south
  reaches into the Sahara
known: mint tea and leather goods | the university in Fez is among the oldest in the world

# Kenya
place: eastern Africa
capital: Nairobi
language: Swahili and English
near: Ethiopia; Somalia; South Sudan; Uganda; Tanzania
nature: the equator crosses the country | the Great Rift Valley runs through it from north to south | Mount
  Kenya is its highest mountain
known: tea, coffee and long-distance runners | herds of wildebeest enter the Masai Mara each year

# Tanzania
place: eastern Africa
capital: Dodoma
language: Swahili and English
near: Kenya; Uganda; Rwanda; Zambia; Malawi; Mozambique
nature: Kilimanjaro is the highest mountain in Africa | Lake Victoria lies in the north | the Serengeti is
  famous for its great herds
known: cloves from Zanzibar | early human ancestors left footprints at Laetoli

# Ethiopia
place: eastern Africa
capital: Addis Ababa
language: Amharic and many other languages
near: Eritrea; Djibouti; Somalia; Kenya; South Sudan; Sudan
nature: the Blue Nile begins in its highlands | the Danakil Depression is one of the hottest places on Earth
  | the country has no coast
known: coffee, which is native to its forests | churches at Lalibela were carved from solid rock

# Nigeria
place: western Africa
capital: Abuja
language: English and hundreds of local languages
near: Benin; Niger; Chad; Cameroon
nature: the Niger River forms a wide delta on the coast | the north is dry savanna | the south has tropical
  forest
known: oil and a large film industry | it has more inhabitants than any other country in Africa

# Ghana
place: western Africa
capital: Accra
language: English and local languages such as Akan
near: Ivory Coast; Burkina Faso; Togo
nature: Lake Volta is one of the largest artificial lakes in the world | the coast faces the Gulf of Guinea
  | the climate is tropical
known: cocoa and gold | kente cloth is woven in bright patterns

# South Africa
place: the southern end of Africa
capital: Pretoria, Cape Town and Bloemfontein, which share the functions of a capital
language: Zulu, Xhosa, Afrikaans, English and several others
near: Namibia; Botswana; Zimbabwe; Mozambique; Eswatini; Lesotho
nature: the Orange River flows to the Atlantic Ocean | Table Mountain rises above Cape Town | Lesotho lies
  entirely within the country
known: gold and diamonds | Nelson Mandela became its president in 1994

# Madagascar
place: the Indian Ocean off southeastern Africa
capital: Antananarivo
language: Malagasy and French
near:
nature: it is the fourth largest island in the world | lemurs live nowhere else in the wild | baobab trees
  grow in the dry west
known: vanilla | rice is the main food

# India
place: southern Asia
capital: New Delhi
language: Hindi, English and many regional languages
near: Pakistan; China; Nepal; Bhutan; Bangladesh; Myanmar
nature: the Ganges flows through the northern plains | the monsoon brings most of the yearly rain | the
  Himalayas rise along the northern border
known: tea, spices and cotton | the Taj Mahal stands in Agra

# Nepal
place: southern Asia
capital: Kathmandu
language: Nepali
near: India; China
nature: Mount Everest stands on its border with China | low warm plains lie in the south | the country has
  no coast
known: trekking in the mountains | its flag is not rectangular

# China
place: eastern Asia
capital: Beijing
language: Mandarin Chinese and other languages
near: Mongolia; Russia; India; Nepal; Vietnam; Kazakhstan
nature: the Yangtze is the longest river in Asia | giant pandas live in bamboo forests of the southwest |
  the Gobi Desert lies in the north
known: tea, silk and porcelain | the Great Wall was built over many centuries

# Japan
place: eastern Asia
capital: Tokyo
language: Japanese
near:
nature: Mount Fuji is its highest mountain | four large islands and thousands of small ones form the country
  | earthquakes are frequent
known: sushi and high-speed trains | cherry trees are celebrated when they bloom in spring

# South Korea
place: eastern Asia
capital: Seoul
language: Korean
near: North Korea
nature: mountains cover most of the land | Jeju is a volcanic island in the south | the Han River flows
  through the capital
known: ships, electronics and kimchi | the Korean alphabet was introduced in the fifteenth century

# Vietnam
place: southeastern Asia
capital: Hanoi
language: Vietnamese
near: China; Laos; Cambodia
nature: the Mekong forms a wide delta in the south | limestone islands rise from Ha Long Bay | the coast
  faces the South China Sea
known: rice and coffee | noodle soup called pho is eaten at any time of day

# Thailand
place: southeastern Asia
capital: Bangkok
language: Thai
near: Myanmar; Laos; Cambodia; Malaysia
nature: the Chao Phraya flows through the capital | the south lies on a narrow peninsula | the climate is
  tropical with a rainy season
known: rice and fruit | it was never a European colony

# Indonesia
place: southeastern Asia
capital: Jakarta, which is due to be replaced by the new city of Nusantara
language: Indonesian
near: Malaysia; Papua New Guinea; East Timor
nature: it consists of more than 17,000 islands | it has more than a hundred active volcanoes | orangutans
  live on Sumatra and Borneo
known: nutmeg and batik cloth | the temple of Borobudur stands on Java

# Mongolia
place: eastern and central Asia
capital: Ulaanbaatar
language: Mongolian
near: Russia; China
nature: grassland and desert cover most of the country | winters are long and very cold | it is one of the
  most thinly peopled countries
known: horses and felt tents | Genghis Khan founded an empire there in 1206

# Australia
place: the southern hemisphere between the Indian and Pacific Oceans
capital: Canberra
language: English
near:
nature: the Great Barrier Reef lies off the northeast coast | the interior is largely dry | kangaroos and
  koalas are native there
known: wool and iron ore | the Opera House stands on the harbor of Sydney

# New Zealand
place: the southwestern Pacific Ocean
capital: Wellington
language: English and Maori
near:
nature: two large islands form most of the country | Aoraki, also called Mount Cook, is its highest mountain
  | the kiwi is a bird that cannot fly
known: wool, butter and films | women gained the right to vote there in 1893

# Canada
place: northern North America
capital: Ottawa
language: English and French
near: the United States
nature: it has more lakes than any other country | the Rocky Mountains cross the west | its northern islands
  reach far into the Arctic
known: maple syrup and ice hockey | insulin was discovered in Toronto

# the United States
place: North America
capital: Washington
language: English
near: Canada; Mexico
nature: the Mississippi flows to the Gulf of Mexico | the Grand Canyon was carved by the Colorado River |
  Denali in Alaska is its highest mountain
known: corn, films and aircraft | it consists of fifty states

# Mexico
place: southern North America
capital: Mexico City
language: Spanish and many native languages
near: the United States; Guatemala; Belize
nature: the Yucatan Peninsula has many natural wells | Pico de Orizaba is its highest mountain | deserts
  cover much of the north
known: corn, chili and chocolate | the Aztec city of Tenochtitlan stood where the capital is now

# Cuba
place: the Caribbean Sea
capital: Havana
language: Spanish
near:
nature: it is the largest island of the Caribbean | the climate is tropical | the bee hummingbird lives only
  there
known: sugar and music | old cars are kept running with great skill

# Brazil
place: eastern South America
capital: Brasilia
language: Portuguese
near: Argentina; Paraguay; Bolivia; Peru; Colombia; Venezuela
nature: most of the Amazon rain forest lies within its borders | the Pantanal is one of the largest wetlands
  on Earth | Iguazu Falls lie on the border with Argentina
known: coffee and football | the capital was built in the 1950s

# Argentina
place: southern South America
capital: Buenos Aires
language: Spanish
near: Chile; Bolivia; Paraguay; Brazil; Uruguay
nature: Aconcagua is the highest mountain in the Americas | wide plains called the Pampas feed large herds |
  Patagonia lies in the south
known: beef and tango | Ushuaia is among the southernmost cities in the world

# Chile
place: western South America
capital: Santiago
language: Spanish
near: Peru; Bolivia; Argentina
nature: it is more than 4,000 kilometers long and quite narrow | the Atacama Desert lies in the north |
  Easter Island belongs to it
known: copper and wine | large telescopes observe the southern sky there

# Peru
place: western South America
capital: Lima
language: Spanish, Quechua and Aymara
near: Ecuador; Colombia; Brazil; Bolivia; Chile
nature: the Andes run through the country | Lake Titicaca lies on the border with Bolivia | the dry coast
  faces the Pacific Ocean
known: potatoes, which were first grown in the Andes | the Inca built Machu Picchu
"""
