"""Conditions of the digestive tract and liver (parsed by ``records.parse_conditions``)."""

TEXT = """
# gastroesophageal reflux disease
short: reflux disease
field: gastroenterology
age: 26-70
onset: 2 months; 4 months; 8 months
def: a condition in which reflux of stomach contents causes troublesome symptoms or esophageal injury
mech: transient relaxation of the lower esophageal sphincter lets acid enter the esophagus | a hiatal hernia weakens the barrier at the gastroesophageal junction | delayed clearance of acid prolongs contact with the mucosa
epi: weekly heartburn affects up to one adult in five in western countries
risk: obesity; pregnancy; hiatal hernia; cigarette smoking; large late meals
sx: heartburn after meals; sour regurgitation; symptoms worse when lying flat; throat clearing; chronic cough at night
signs: an unremarkable abdominal examination; mild epigastric tenderness
neg: difficulty swallowing; weight loss; black stools
tests: trial of acid suppression => relief that supports the diagnosis when alarm features are absent => partial relief after {7:14} days | upper endoscopy => erosive esophagitis in some patients => linear erosions in the distal esophagus | esophageal pH monitoring => increased acid exposure time => acid exposure {8:14}% of the recording
ddx: stable angina; eosinophilic esophagitis; peptic ulcer disease; functional heartburn
tx1: weight loss and elevation of the head of the bed; omeprazole before breakfast for eight weeks
tx2: famotidine at bedtime for night symptoms; antireflux surgery for selected patients
rx: omeprazole = 20 mg by mouth once daily 30 minutes before breakfast
comp: esophageal stricture; Barrett esophagus; aspiration
prog: most patients respond to acid suppression, although relapse is common after stopping | the lowest effective dose should be used for maintenance
fu: clinic review in 8 weeks; endoscopy if alarm features appear
teach: finish the evening meal three hours before bed; raise the head of the bed; take the capsule before food
warn: difficulty swallowing; vomiting blood; weight loss

# peptic ulcer disease
field: gastroenterology
age: 32-78
onset: 3 weeks; 5 weeks; 2 months
def: a break in the lining of the stomach or duodenum that extends through the muscularis mucosae
mech: Helicobacter pylori infection disturbs mucosal defense and acid regulation | anti-inflammatory drugs suppress prostaglandins that protect the mucosa | acid and pepsin then deepen the injury
epi: most ulcers are caused by Helicobacter pylori or by anti-inflammatory drugs
risk: Helicobacter pylori infection; regular use of anti-inflammatory drugs; cigarette smoking; a previous ulcer
sx: burning epigastric pain; pain that wakes the patient at night; bloating; early fullness; nausea
signs: epigastric tenderness; mild pallor
neg: difficulty swallowing; jaundice; diarrhea
tests: upper endoscopy => a mucosal crater => an {8:12} mm clean-based duodenal ulcer | Helicobacter pylori stool antigen => a positive result => positive | hemoglobin => a low value when bleeding has occurred => {10.4:12.2} g/dL
ddx: functional dyspepsia; gastric cancer; biliary colic; gastroesophageal reflux disease
tx1: omeprazole for several weeks; eradication of Helicobacter pylori with combination therapy; withdrawal of anti-inflammatory drugs
tx2: endoscopic hemostasis for bleeding; surgery for perforation
rx: omeprazole = 20 mg by mouth twice daily | bismuth subsalicylate = 524 mg by mouth four times daily for 14 days | metronidazole = 500 mg by mouth three times daily for 14 days | tetracycline = 500 mg by mouth four times daily for 14 days
comp: bleeding; perforation; gastric outlet obstruction
prog: recurrence is uncommon once Helicobacter pylori has been eradicated and offending drugs are stopped | gastric ulcers need repeat endoscopy to confirm healing
fu: test of cure at least 4 weeks after antibiotics; clinic review in 6 weeks; repeat blood count
teach: avoid ibuprofen and aspirin unless a clinician advises otherwise; finish all four medicines; stop smoking
warn: black stools; vomiting blood; sudden severe abdominal pain

# acute appendicitis
field: general surgery
age: 10-42
vitals: lowfever tachycardic
onset: 12 hours; 18 hours; 1 day
def: acute inflammation of the vermiform appendix
mech: obstruction of the lumen by a fecalith or lymphoid tissue raises the pressure inside the appendix | venous congestion and bacterial overgrowth follow | pain shifts from the umbilicus to the right lower quadrant when the parietal peritoneum becomes inflamed
epi: the lifetime risk is about 7 to 8%, with a peak in the second and third decades
risk: age between 10 and 30 years; a family history of appendicitis; a fecalith seen on imaging
sx: pain that began near the umbilicus and moved to the right lower abdomen; loss of appetite; nausea; one episode of vomiting; low-grade fever
signs: tenderness at the McBurney point; guarding; pain in the right lower quadrant on pressing the left side; pain on coughing
neg: burning on urination; diarrhea; cough
tests: complete blood count => leukocytosis with neutrophilia => white cell count {12.4:17.2} x 10^9/L | abdominal imaging with ultrasonography or computed tomography => a dilated noncompressible appendix => an appendix of {9:13} mm with surrounding fat stranding | urinalysis => a normal result or few white cells => no nitrites, few white cells
ddx: mesenteric adenitis; Crohn disease; nephrolithiasis; ovarian torsion in female patients
tx1: laparoscopic appendectomy; intravenous fluids; preoperative antibiotics such as ceftriaxone with metronidazole
tx2: antibiotics alone in selected uncomplicated cases; percutaneous drainage of an abscess
rx: ceftriaxone = 1 g intravenously before surgery | metronidazole = 500 mg intravenously before surgery | acetaminophen = 500 mg by mouth every 6 hours as needed
comp: perforation; abscess; peritonitis; wound infection
prog: recovery is rapid after uncomplicated surgery | the risk of perforation rises with delay
fu: surgical clinic visit in 2 weeks; review of the pathology report
teach: avoid heavy lifting for two weeks; keep the small wounds dry for two days; eat normally as appetite returns
warn: fever; increasing abdominal pain; pus from a wound
img: CT of the abdomen and pelvis with contrast => The appendix measures 11 mm in diameter with wall enhancement and surrounding fat stranding; An appendicolith is present at the base; There is no abscess or free air => Acute uncomplicated appendicitis
course: Laparoscopic appendectomy was performed without complication on the day of arrival. | The appendix was inflamed but not perforated. | Diet was resumed the next morning, and pain was controlled with oral acetaminophen.
nurse: three small port sites are clean and dry; passing flatus; tolerating a light diet; walked in the corridor twice

# acute cholecystitis
field: general surgery
age: 34-74
vitals: febrile tachycardic
onset: 12 hours; 1 day; 2 days
def: acute inflammation of the gallbladder, usually caused by a stone lodged in the cystic duct
mech: obstruction of the cystic duct distends the gallbladder | chemical irritation by bile and secondary bacterial infection inflame the wall | inflammation of the adjacent peritoneum localizes the pain to the right upper quadrant
epi: gallstones are responsible for about nine cases in ten
risk: female sex; obesity; rapid weight loss; pregnancy; older age
sx: steady right upper abdominal pain; pain spreading to the right shoulder blade; nausea and vomiting; fever; onset after a fatty meal
signs: inspiratory arrest on palpation below the right ribs; right upper quadrant guarding; mild fever
neg: jaundice; diarrhea; chest pressure on exertion
tests: abdominal ultrasonography => gallstones with a thickened gallbladder wall => stones with a wall thickness of {4:7} mm | complete blood count => leukocytosis => white cell count {12.2:17.4} x 10^9/L | total bilirubin => a normal or slightly raised value => {0.8:1.4} mg/dL
ddx: biliary colic; peptic ulcer disease; acute pancreatitis; acute hepatitis; right lower lobe pneumonia
tx1: early laparoscopic cholecystectomy; intravenous fluids and pain relief; ceftriaxone with metronidazole
tx2: percutaneous gallbladder drainage in patients too ill for surgery; endoscopic removal of common duct stones
rx: ceftriaxone = 1 g intravenously once daily | metronidazole = 500 mg intravenously every 8 hours | acetaminophen = 650 mg by mouth every 6 hours as needed
comp: gangrene of the gallbladder; perforation; cholangitis; gallstone pancreatitis
prog: surgery within the first days of illness shortens the stay and prevents recurrence | most patients return to normal activity within two weeks
fu: surgical clinic visit in 2 weeks; pathology review
teach: eat small low-fat meals at first; avoid heavy lifting for two weeks; keep wounds clean and dry
warn: yellow eyes; fever; worsening abdominal pain
img: Ultrasound of the right upper quadrant => Several shadowing gallstones are present, one of them fixed in the gallbladder neck; The gallbladder wall is thickened with pericholecystic fluid; The common bile duct measures 4 mm; A sonographic Murphy sign is present => Acute calculous cholecystitis without biliary dilation
course: Laparoscopic cholecystectomy was performed on the second hospital day without complication. | Liver tests remained close to normal, and no duct stone was found. | Antibiotics were stopped after surgery.
nurse: port sites are clean and dry; pain is 3 out of 10 with oral medicine; tolerating a low-fat diet; up to the chair for all meals

# acute pancreatitis
field: gastroenterology
age: 30-72
vitals: tachycardic lowfever
onset: 10 hours; 1 day; 2 days
def: acute inflammation of the pancreas in which digestive enzymes injure the gland and nearby tissue
mech: premature activation of trypsin inside acinar cells starts autodigestion | gallstones cause it by transient obstruction of the ampulla, and alcohol by direct toxic effects | systemic inflammation may lead to fluid shifts and organ failure
epi: gallstones and alcohol are responsible for most cases
risk: gallstones; heavy alcohol use; triglycerides above 1,000 mg/dL; recent endoscopic bile duct procedure; certain drugs
sx: severe epigastric pain; pain boring through to the back; nausea and repeated vomiting; relief on leaning forward; abdominal bloating
signs: epigastric tenderness with guarding; reduced bowel sounds; dry mucous membranes
neg: diarrhea; blood in the vomit; burning on urination
tests: serum lipase => a value at least three times the upper limit of normal => {860:3400} U/L | abdominal ultrasonography => gallstones when they are the cause => gallstones without duct dilation | hematocrit => a high value when plasma volume is depleted => {45:50}%
ddx: perforated peptic ulcer; acute cholecystitis; mesenteric ischemia; myocardial infarction
tx1: moderate intravenous fluid resuscitation; pain control with morphine when needed; early oral feeding as tolerated
tx2: endoscopic removal of duct stones when cholangitis is present; drainage of infected necrosis; cholecystectomy before discharge in mild gallstone disease
rx: morphine = 4 mg intravenously every 4 hours as needed for pain | ondansetron = 4 mg intravenously every 8 hours as needed
comp: pancreatic necrosis; pseudocyst; respiratory failure; kidney injury; new diabetes mellitus
prog: about four in five cases are mild and settle within a week | persistent organ failure carries a high mortality
fu: surgical visit in 1 week; lipid profile in 6 weeks; alcohol support where relevant
teach: avoid alcohol completely; eat small low-fat meals; drink plenty of water
warn: return of severe pain; fever; vomiting that prevents drinking
img: CT of the abdomen with contrast => The pancreas is enlarged with surrounding fat stranding; The gland enhances throughout without necrosis; A small amount of fluid is seen in the left anterior pararenal space; Gallstones are present => Acute interstitial edematous pancreatitis with gallstones
course: Pain settled over three days with fluids and intravenous morphine, which was then stopped. | Oral feeding was resumed on the second day without recurrence of pain. | Laparoscopic cholecystectomy was performed before discharge.
nurse: pain is 4 out of 10 after medication; urine output is above 0.5 mL/kg per hour; tolerating clear fluids; bowel sounds are present

# cirrhosis
field: hepatology
age: 42-72
onset: 3 weeks; 6 weeks; 2 months
def: the end stage of chronic liver injury, in which fibrosis and regenerative nodules replace normal architecture
mech: activated stellate cells deposit collagen and distort the sinusoids | resistance to portal flow causes portal hypertension | splanchnic vasodilation leads to sodium retention and ascites
epi: alcohol, metabolic fatty liver disease and chronic viral hepatitis are the leading causes
risk: heavy alcohol use; chronic hepatitis C; chronic hepatitis B; obesity with fatty liver disease; hemochromatosis
sx: abdominal swelling; fatigue; ankle swelling; easy bruising; itching
signs: shifting dullness; spider angiomas; palmar erythema; an enlarged spleen; mild jaundice
neg: black stools; fever; confusion
tests: liver chemistry => low albumin with raised bilirubin => albumin {2.4:3.1} g/dL, bilirubin {1.8:3.6} mg/dL | international normalized ratio => prolongation => {1.4:1.8} | ascitic fluid analysis => a serum-ascites albumin gradient of 1.1 g/dL or more => gradient {1.4:2.2} g/dL, neutrophils below 250 per microliter | platelet count => a low value => {68:118} x 10^9/L
ddx: heart failure; Budd-Chiari syndrome; peritoneal malignancy; constrictive pericarditis
tx1: removal of the cause, including alcohol abstinence; sodium restriction; spironolactone with furosemide for ascites
tx2: carvedilol to lower portal pressure; lactulose for hepatic encephalopathy; large-volume paracentesis; liver transplantation
rx: spironolactone = 100 mg by mouth once daily | furosemide = 40 mg by mouth once daily | lactulose = 20 g by mouth twice daily, adjusted to two or three soft stools a day
comp: variceal bleeding; spontaneous bacterial peritonitis; hepatic encephalopathy; hepatorenal syndrome; hepatocellular carcinoma
prog: median survival falls markedly once decompensation occurs | abstinence improves outcome even in advanced alcohol-related disease
fu: liver clinic in 2 weeks; ultrasound every 6 months for liver cancer surveillance; endoscopy for varices
teach: avoid alcohol completely; eat a late evening snack; avoid ibuprofen and similar drugs
warn: vomiting blood; confusion; fever with abdominal pain
img: Ultrasound of the abdomen => The liver is small with a nodular surface and coarse echotexture; The spleen measures 15 cm; A moderate amount of ascites is present; Portal vein flow is toward the liver => Cirrhosis with portal hypertension and moderate ascites, without a focal liver lesion
course: Five liters of ascites were drained with albumin replacement, and the fluid showed no infection. | Diuretics were restarted, and sodium and creatinine remained stable. | Nutrition advice and alcohol support were arranged.
nurse: abdominal girth is down by 4 cm since admission; oriented to person, place and time; two soft stools today; low-salt diet is being followed

# ulcerative colitis
field: gastroenterology
age: 18-58
onset: 3 weeks; 6 weeks; 2 months
def: a chronic inflammatory bowel disease limited to the mucosa of the colon and rectum
mech: an abnormal immune response to gut microbes occurs in genetically susceptible people | inflammation starts in the rectum and extends proximally without gaps | loss of the mucosal barrier causes bleeding and diarrhea
epi: onset is most common between 15 and 35 years, with a smaller second peak later
risk: a family history of inflammatory bowel disease; recent cessation of smoking; northern European ancestry; recent enteric infection
sx: bloody diarrhea; urgency; cramping before bowel movements; a feeling of incomplete emptying; fatigue
signs: mild left lower quadrant tenderness; pallor; blood on rectal examination
neg: vomiting; recent travel; perianal pain
tests: colonoscopy with biopsy => continuous inflammation from the rectum with crypt abscesses => continuous inflammation to the splenic flexure | fecal calprotectin => an elevated concentration => {420:1650} mcg/g | stool culture => absence of enteric pathogens => no pathogens grown
ddx: infectious colitis; Crohn disease; ischemic colitis; colorectal cancer
tx1: mesalamine by mouth and by enema; prednisone for moderate flares
tx2: infliximab or another biologic agent; colectomy for refractory or complicated disease
rx: mesalamine = 2.4 g by mouth once daily | prednisone = 40 mg by mouth once daily, then tapered
comp: toxic megacolon; severe bleeding; colorectal cancer; primary sclerosing cholangitis
prog: most patients have periods of remission between relapses | surveillance colonoscopy begins about eight years after onset
fu: clinic visit in 2 weeks; fecal calprotectin in 3 months; surveillance colonoscopy
teach: keep taking mesalamine during remission; avoid ibuprofen; keep a symptom diary
warn: more than six bloody stools a day; fever; a distended painful abdomen
course: Intravenous steroid was given for three days and then changed to oral prednisone. | Stool frequency fell from nine to three a day, and no enteric pathogen was found. | Hemoglobin remained stable.
nurse: three loose stools this shift with a trace of blood; abdomen is soft; drinking well; no fever

# Crohn disease
field: gastroenterology
age: 16-52
onset: 2 months; 4 months; 6 months
def: a chronic inflammatory disease that may affect any part of the digestive tract with transmural, discontinuous lesions
mech: dysregulated mucosal immunity produces transmural inflammation with granulomas in some patients | healing by fibrosis leads to strictures | deep ulcers may penetrate and form fistulas
epi: the terminal ileum is involved in most patients
risk: a family history of inflammatory bowel disease; cigarette smoking; frequent antibiotic use in childhood; genetic variants such as NOD2
sx: crampy right lower abdominal pain; chronic diarrhea; weight loss; fatigue; mouth ulcers
signs: right lower quadrant fullness; perianal skin tags; aphthous ulcers of the mouth
neg: jaundice; recent travel; black stools
tests: ileocolonoscopy => patchy ulceration with intervening normal mucosa => deep ulcers of the terminal ileum | magnetic resonance enterography => thickened enhancing bowel wall => {18:30} cm of thickened terminal ileum | C-reactive protein => an elevated concentration => {22:74} mg/L
ddx: ulcerative colitis; intestinal tuberculosis; acute appendicitis; irritable bowel syndrome
tx1: budesonide for mild ileal disease; prednisone for moderate flares; infliximab for moderate to severe disease
tx2: methotrexate or another immunomodulator; surgery for strictures, fistulas or abscess; nutritional therapy
rx: budesonide = 9 mg by mouth once daily | infliximab = 5 mg/kg intravenously at weeks 0, 2 and 6
comp: stricture with obstruction; fistula; abscess; malnutrition; vitamin B12 deficiency
prog: the disease relapses and remits, and many patients eventually need surgery | smoking increases the risk of recurrence after surgery
fu: clinic visit in 4 weeks; C-reactive protein and blood count monthly at first; vitamin B12 and iron levels yearly
teach: stop smoking; eat small frequent meals during flares; keep vaccinations up to date before starting a biologic drug
warn: vomiting with a swollen abdomen; fever; pus near the anus

# celiac disease
field: gastroenterology
age: 12-56
onset: 4 months; 8 months; 1 year
def: an immune-mediated enteropathy triggered by gluten in genetically predisposed people
mech: tissue transglutaminase modifies gliadin peptides, which are presented by HLA-DQ2 or HLA-DQ8 | T-cell activation leads to villous atrophy and crypt hyperplasia | loss of absorptive surface causes iron and vitamin deficiency
epi: it affects about one person in a hundred, and many cases remain undiagnosed
risk: a first-degree relative with the disease; type 1 diabetes; autoimmune thyroid disease; Down syndrome
sx: bloating; chronic loose stools; fatigue; weight loss; an itchy blistering rash on the elbows
signs: pallor; mild abdominal distension; aphthous mouth ulcers
neg: blood in the stool; fever; night sweats
tests: tissue transglutaminase IgA => an elevated titer while on a gluten-containing diet => more than {5:10} times the upper limit | duodenal biopsy => villous atrophy with intraepithelial lymphocytosis => subtotal villous atrophy | serum ferritin => a low concentration => {5:12} ng/mL
ddx: irritable bowel syndrome; lactose intolerance; giardiasis; Crohn disease
tx1: a strict lifelong gluten-free diet; dietitian referral; replacement of iron with ferrous sulfate when deficient
tx2: evaluation for hidden gluten intake when symptoms persist; specialist care for refractory disease
rx: ferrous sulfate = 325 mg by mouth once daily
comp: iron deficiency anemia; osteoporosis; infertility; enteropathy-associated lymphoma
prog: symptoms often improve within weeks, while the villi may take a year or more to heal | antibody titers fall as the diet takes effect
fu: dietitian visit in 2 weeks; antibody titer in 6 months; bone density measurement
teach: avoid wheat, barley and rye; read every food label; use a separate toaster at home
warn: weight loss despite the diet; severe abdominal pain; night sweats

# irritable bowel syndrome
field: gastroenterology
age: 18-50
onset: 6 months; 1 year; 2 years
def: a disorder of gut-brain interaction with recurrent abdominal pain and altered bowel habit
mech: visceral hypersensitivity makes normal distension painful | altered motility speeds or slows transit | stress and previous gut infection can modify signaling between the gut and the brain
epi: it is among the most common reasons for referral to gastroenterology
risk: previous gastroenteritis; anxiety; female sex; early life stress
sx: crampy abdominal pain relieved by defecation; bloating; alternating loose and hard stools; mucus in the stool; urgency after meals
signs: mild diffuse abdominal tenderness; an otherwise normal examination
neg: blood in the stool; weight loss; waking at night with diarrhea
tests: complete blood count => a normal result => hemoglobin {13.2:14.8} g/dL, normal indices | fecal calprotectin => a low concentration => {14:40} mcg/g | tissue transglutaminase IgA => a negative result => negative
ddx: celiac disease; inflammatory bowel disease; lactose intolerance; bile acid diarrhea
tx1: explanation and reassurance; soluble fiber; a diet low in fermentable carbohydrates under guidance
tx2: antispasmodic drugs such as hyoscyamine; loperamide for diarrhea; low-dose amitriptyline for pain; gut-directed psychological therapy
rx: loperamide = 2 mg by mouth as needed for loose stools | amitriptyline = 10 mg by mouth at bedtime
comp: reduced quality of life; unnecessary surgery; anxiety about food
prog: the condition does not shorten life or lead to cancer | symptoms fluctuate over years
fu: clinic review in 8 weeks; dietitian visit
teach: eat regular meals without rushing; add oats or psyllium slowly; note which foods bring on symptoms
warn: blood in the stool; weight loss; anemia

# acute diverticulitis
field: general surgery
age: 44-78
vitals: lowfever
onset: 1 day; 2 days; 3 days
def: inflammation of a colonic diverticulum, most often in the sigmoid colon
mech: a diverticulum is a pouch of mucosa that herniates where vessels enter the muscle layer | microperforation of the pouch leads to local inflammation | the omentum and nearby bowel usually wall off the process
epi: diverticula are present in more than half of people over 60, but only a small share develop inflammation
risk: older age; obesity; a low-fiber diet; cigarette smoking; physical inactivity
sx: steady left lower abdominal pain; low-grade fever; constipation; nausea; bloating
signs: left lower quadrant tenderness; local guarding; a vague left-sided fullness
neg: blood in the urine; vomiting; bright red rectal bleeding
tests: computed tomography => colonic wall thickening with fat stranding around a diverticulum => sigmoid wall thickening with fat stranding, no abscess | complete blood count => leukocytosis => white cell count {11.6:15.8} x 10^9/L | C-reactive protein => an elevated concentration => {48:126} mg/L
ddx: colorectal cancer; ischemic colitis; nephrolithiasis; ovarian pathology in women
tx1: rest, fluids and acetaminophen for mild disease; amoxicillin-clavulanate when antibiotics are needed
tx2: percutaneous drainage of an abscess; surgery for free perforation
rx: amoxicillin-clavulanate = 875/125 mg by mouth twice daily for 7 days | acetaminophen = 650 mg by mouth every 6 hours as needed
comp: abscess; perforation; fistula to the bladder; stricture
prog: most uncomplicated cases settle within a week | colonoscopy is advised about six weeks after a first complicated episode
fu: clinic review in 1 week; colonoscopy in 6 to 8 weeks
teach: start with clear fluids and return to normal food as pain settles; add fiber gradually after recovery; stop smoking
warn: worsening pain; fever above 39 C; inability to drink
img: CT of the abdomen and pelvis with contrast => There is segmental thickening of the sigmoid colon with several diverticula; Pericolic fat stranding is present; No abscess or free air is identified => Uncomplicated acute sigmoid diverticulitis

# colorectal cancer
field: oncology
age: 48-82
onset: 6 weeks; 3 months; 4 months
def: a malignant tumor of the colon or rectum, nearly always an adenocarcinoma
mech: most tumors arise from adenomas through the stepwise gain of mutations in genes such as APC, KRAS and TP53 | a smaller group arises through defective DNA mismatch repair | spread to the liver occurs through the portal circulation
epi: screening lowers both incidence and mortality
risk: older age; a first-degree relative with the disease; inflammatory bowel disease; a diet high in processed meat; obesity; heavy alcohol use
sx: a change in bowel habit; blood mixed with the stool; unintended weight loss; fatigue; crampy abdominal discomfort
signs: pallor; a firm mass in the right lower abdomen; a normal rectal examination
neg: vomiting; fever; jaundice
tests: colonoscopy with biopsy => an ulcerated mass that shows adenocarcinoma => an ulcerated {3:5} cm mass in the ascending colon | complete blood count => iron deficiency anemia in right-sided tumors => hemoglobin {8.6:10.8} g/dL with a low mean cell volume | computed tomography of chest, abdomen and pelvis => the stage of disease => no distant metastases
ddx: diverticular disease; inflammatory bowel disease; hemorrhoids; ischemic colitis
tx1: surgical resection with lymph node removal; adjuvant chemotherapy for node-positive disease
tx2: neoadjuvant chemoradiotherapy for rectal tumors; targeted or immune therapy for selected metastatic disease
rx: ferrous sulfate = 325 mg by mouth once daily
comp: bowel obstruction; perforation; chronic bleeding; liver metastases
prog: five-year survival is about 90% for localized disease and much lower once distant spread has occurred | regular follow-up detects treatable recurrence
fu: multidisciplinary tumor board review; carcinoembryonic antigen every 3 to 6 months after resection; colonoscopy 1 year after surgery
teach: report any bleeding or change in bowel habit; tell first-degree relatives about screening; stay as active as possible
warn: vomiting with a swollen abdomen; heavy bleeding; severe abdominal pain
img: CT of the chest, abdomen and pelvis => There is an irregular mural thickening of the ascending colon; Two mildly enlarged regional lymph nodes are noted; The liver and lungs show no suspicious lesion => Ascending colon mass with regional adenopathy, without distant metastases
"""
