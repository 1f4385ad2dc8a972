"""Conditions of the bowel (parsed by ``records.parse_conditions``)."""

TEXT = """
# ulcerative colitis
field: gastroenterology
age: 18-58
onset: 3 weeks; 6 weeks; 2 months
def: a chronic inflammatory bowel disease limited to the mucosa of the colon and rectum
mech: an abnormal immune response to gut microbes occurs in genetically susceptible people | inflammation
  starts in the rectum and extends proximally without gaps | loss of the mucosal barrier causes bleeding and
  diarrhea
epi: onset is most common between 15 and 35 years, with a smaller second peak later
risk: a family history of inflammatory bowel disease; recent cessation of smoking; northern European
  ancestry; recent enteric infection
sx: bloody diarrhea; urgency; cramping before bowel movements; a feeling of incomplete emptying; fatigue
signs: mild left lower quadrant tenderness; pallor; blood on rectal examination
neg: vomiting; recent travel; perianal pain
tests: colonoscopy with biopsy => continuous inflammation from the rectum with crypt abscesses => continuous
  inflammation to the splenic flexure | fecal calprotectin => an elevated concentration => {420:1650} mcg/g
  | stool culture => absence of enteric pathogens => no pathogens grown
ddx: infectious colitis; Crohn disease; ischemic colitis; colorectal cancer
tx1: mesalamine by mouth and by enema; prednisone for moderate flares
tx2: infliximab or another biologic agent; colectomy for refractory or complicated disease
rx: mesalamine = 2.4 g by mouth once daily | prednisone = 40 mg by mouth once daily, then tapered
comp: toxic megacolon; severe bleeding; colorectal cancer; primary sclerosing cholangitis
prog: most patients have periods of remission between relapses | surveillance colonoscopy begins about eight
  years after onset
fu: clinic visit in 2 weeks; fecal calprotectin in 3 months; surveillance colonoscopy
teach: keep taking mesalamine during remission; avoid ibuprofen; keep a symptom diary
warn: more than six bloody stools a day; fever; a distended painful abdomen
course: Intravenous steroid was given for three days and then changed to oral prednisone. | Stool frequency
  fell from nine to three a day, and no enteric pathogen was found. | Hemoglobin remained stable.
nurse: three loose stools this shift with a trace of blood; abdomen is soft; drinking well; no fever

# Crohn disease
field: gastroenterology
age: 16-52
onset: 2 months; 4 months; 6 months
def: a chronic inflammatory disease that may affect any part of the digestive tract with transmural,
  discontinuous lesions
mech: dysregulated mucosal immunity produces transmural inflammation with granulomas in some patients |
  healing by fibrosis leads to strictures | deep ulcers may penetrate and form fistulas
epi: the terminal ileum is involved in most patients
risk: a family history of inflammatory bowel disease; cigarette smoking; frequent antibiotic use in
  childhood; genetic variants such as NOD2
sx: crampy right lower abdominal pain; chronic diarrhea; weight loss; fatigue; mouth ulcers
signs: right lower quadrant fullness; perianal skin tags; aphthous ulcers of the mouth
neg: jaundice; recent travel; black stools
tests: ileocolonoscopy => patchy ulceration with intervening normal mucosa => deep ulcers of the terminal
  ileum | magnetic resonance enterography => thickened enhancing bowel wall => {18:30} cm of thickened
  terminal ileum | C-reactive protein => an elevated concentration => {22:74} mg/L
ddx: ulcerative colitis; intestinal tuberculosis; acute appendicitis; irritable bowel syndrome
tx1: budesonide for mild ileal disease; prednisone for moderate flares; infliximab for moderate to severe
  disease
tx2: methotrexate or another immunomodulator; surgery for strictures, fistulas or abscess; nutritional
  therapy
rx: budesonide = 9 mg by mouth once daily | infliximab = 5 mg/kg intravenously at weeks 0, 2 and 6
pick: 1
comp: stricture with obstruction; fistula; abscess; malnutrition; vitamin B12 deficiency
prog: the disease relapses and remits, and many patients eventually need surgery | smoking increases the
  risk of recurrence after surgery
fu: clinic visit in 4 weeks; C-reactive protein and blood count monthly at first; vitamin B12 and iron
  levels yearly
teach: stop smoking; eat small frequent meals during flares; keep vaccinations up to date before starting a
  biologic drug
warn: vomiting with a swollen abdomen; fever; pus near the anus

# celiac disease
field: gastroenterology
age: 12-56
onset: 4 months; 8 months; 1 year
def: an immune-mediated enteropathy triggered by gluten in genetically predisposed people
mech: tissue transglutaminase modifies gliadin peptides, which are presented by HLA-DQ2 or HLA-DQ8 | T-cell
  activation leads to villous atrophy and crypt hyperplasia | loss of absorptive surface causes iron and
  vitamin deficiency
epi: it affects about one person in a hundred, and many cases remain undiagnosed
risk: a first-degree relative with the disease; type 1 diabetes; autoimmune thyroid disease; Down syndrome
sx: bloating; chronic loose stools; fatigue; weight loss; an itchy blistering rash on the elbows
signs: pallor; mild abdominal distension; aphthous mouth ulcers
neg: blood in the stool; fever; night sweats
tests: tissue transglutaminase IgA => an elevated titer while on a gluten-containing diet => more than
  {5:10} times the upper limit | duodenal biopsy => villous atrophy with intraepithelial lymphocytosis =>
  subtotal villous atrophy | serum ferritin => a low concentration => {5:12} ng/mL
ddx: irritable bowel syndrome; lactose intolerance; giardiasis; Crohn disease
tx1: a strict lifelong gluten-free diet; dietitian referral; replacement of iron with ferrous sulfate when
  deficient
tx2: evaluation for hidden gluten intake when symptoms persist; specialist care for refractory disease
rx: ferrous sulfate = 325 mg by mouth once daily
comp: iron deficiency anemia; osteoporosis; infertility; enteropathy-associated lymphoma
prog: symptoms often improve within weeks, while the villi may take a year or more to heal | antibody titers
  fall as the diet takes effect
fu: dietitian visit in 2 weeks; antibody titer in 6 months; bone density measurement
teach: avoid wheat, barley and rye; read every food label; use a separate toaster at home
warn: weight loss despite the diet; severe abdominal pain; night sweats

# irritable bowel syndrome
field: gastroenterology
age: 18-50
onset: 6 months; 1 year; 2 years
def: a disorder of gut-brain interaction with recurrent abdominal pain and altered bowel habit
mech: visceral hypersensitivity makes normal distension painful | altered motility speeds or slows transit |
  stress and previous gut infection can modify signaling between the gut and the brain
epi: it is among the most common reasons for referral to gastroenterology
risk: previous gastroenteritis; anxiety; female sex; early life stress
sx: crampy abdominal pain relieved by defecation; bloating; alternating loose and hard stools; mucus in the
  stool; urgency after meals
signs: mild diffuse abdominal tenderness; an otherwise normal examination
neg: blood in the stool; weight loss; waking at night with diarrhea
tests: complete blood count => a normal result => hemoglobin {13.2:14.8} g/dL, normal indices | fecal
  calprotectin => a low concentration => {14:40} mcg/g | tissue transglutaminase IgA => a negative result =>
  negative
ddx: celiac disease; inflammatory bowel disease; lactose intolerance; bile acid diarrhea
tx1: explanation and reassurance; soluble fiber; a diet low in fermentable carbohydrates under guidance
tx2: antispasmodic drugs such as hyoscyamine; loperamide for diarrhea; low-dose amitriptyline for pain;
  gut-directed psychological therapy
rx: loperamide = 2 mg by mouth as needed for loose stools | amitriptyline = 10 mg by mouth at bedtime
pick: 1
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
mech: a diverticulum is a pouch of mucosa that herniates where vessels enter the muscle layer |
  microperforation of the pouch leads to local inflammation | the omentum and nearby bowel usually wall off
  the process
epi: diverticula are present in more than half of people over 60, but only a small share develop
  inflammation
risk: older age; obesity; a low-fiber diet; cigarette smoking; physical inactivity
sx: steady left lower abdominal pain; low-grade fever; constipation; nausea; bloating
signs: left lower quadrant tenderness; local guarding; a vague left-sided fullness
neg: blood in the urine; vomiting; bright red rectal bleeding
tests: computed tomography => colonic wall thickening with fat stranding around a diverticulum => sigmoid
  wall thickening with fat stranding, no abscess | complete blood count => leukocytosis => white cell count
  {11.6:15.8} x 10^9/L | C-reactive protein => an elevated concentration => {48:126} mg/L
ddx: colorectal cancer; ischemic colitis; nephrolithiasis; ovarian pathology in women
tx1: rest, fluids and acetaminophen for mild disease; amoxicillin-clavulanate when antibiotics are needed
tx2: percutaneous drainage of an abscess; surgery for free perforation
rx: amoxicillin-clavulanate = 875/125 mg by mouth twice daily for 7 days | acetaminophen = 650 mg by mouth
  every 6 hours as needed
comp: abscess; perforation; fistula to the bladder; stricture
prog: most uncomplicated cases settle within a week | colonoscopy is advised about six weeks after a first
  complicated episode
fu: clinic review in 1 week; colonoscopy in 6 to 8 weeks
teach: start with clear fluids and return to normal food as pain settles; add fiber gradually after
  recovery; stop smoking
warn: worsening pain; fever above 39 C; inability to drink
img: CT of the abdomen and pelvis with contrast => There is segmental thickening of the sigmoid colon with
  several diverticula; Pericolic fat stranding is present; No abscess or free air is identified =>
  Uncomplicated acute sigmoid diverticulitis

# colorectal cancer
field: oncology
age: 48-82
onset: 6 weeks; 3 months; 4 months
def: a malignant tumor of the colon or rectum, nearly always an adenocarcinoma
mech: most tumors arise from adenomas through the stepwise gain of mutations in genes such as APC, KRAS and
  TP53 | a smaller group arises through defective DNA mismatch repair | spread to the liver occurs through
  the portal circulation
epi: screening lowers both incidence and mortality
risk: older age; a first-degree relative with the disease; inflammatory bowel disease; a diet high in
  processed meat; obesity; heavy alcohol use
sx: a change in bowel habit; blood mixed with the stool; unintended weight loss; fatigue; crampy abdominal
  discomfort
signs: pallor; a firm mass in the right lower abdomen; a normal rectal examination
neg: vomiting; fever; jaundice
tests: colonoscopy with biopsy => an ulcerated mass that shows adenocarcinoma => an ulcerated {3:5} cm mass
  in the ascending colon | complete blood count => iron deficiency anemia in right-sided tumors =>
  hemoglobin {8.6:10.8} g/dL with a low mean cell volume | computed tomography of chest, abdomen and pelvis
  => the stage of disease => no distant metastases
ddx: diverticular disease; inflammatory bowel disease; hemorrhoids; ischemic colitis
tx1: surgical resection with lymph node removal; adjuvant chemotherapy for node-positive disease
tx2: neoadjuvant chemoradiotherapy for rectal tumors; targeted or immune therapy for selected metastatic
  disease
rx: ferrous sulfate = 325 mg by mouth once daily
comp: bowel obstruction; perforation; chronic bleeding; liver metastases
prog: five-year survival is about 90% for localized disease and much lower once distant spread has occurred
  | regular follow-up detects treatable recurrence
fu: multidisciplinary tumor board review; carcinoembryonic antigen every 3 to 6 months after resection;
  colonoscopy 1 year after surgery
teach: report any bleeding or change in bowel habit; tell first-degree relatives about screening; stay as
  active as possible
warn: vomiting with a swollen abdomen; heavy bleeding; severe abdominal pain
img: CT of the chest, abdomen and pelvis => There is an irregular mural thickening of the ascending colon;
  Two mildly enlarged regional lymph nodes are noted; The liver and lungs show no suspicious lesion =>
  Ascending colon mass with regional adenopathy, without distant metastases
"""
