"""Conditions of the upper digestive tract and the liver (parsed by ``records.parse_conditions``)."""

TEXT = """
# gastroesophageal reflux disease
short: reflux disease
field: gastroenterology
age: 26-70
onset: 2 months; 4 months; 8 months
def: a condition in which reflux of stomach contents causes troublesome symptoms or esophageal injury
mech: transient relaxation of the lower esophageal sphincter lets acid enter the esophagus | a hiatal hernia
  weakens the barrier at the gastroesophageal junction | delayed clearance of acid prolongs contact with the
  mucosa
epi: weekly heartburn affects up to one adult in five in western countries
risk: obesity; pregnancy; hiatal hernia; cigarette smoking; large late meals
sx: heartburn after meals; sour regurgitation; symptoms worse when lying flat; throat clearing; chronic
  cough at night
signs: a soft abdomen; mild epigastric tenderness
neg: difficulty swallowing; weight loss; black stools
tests: trial of acid suppression => relief that supports the diagnosis when alarm features are absent =>
  partial relief after {7:14} days | upper endoscopy => erosive esophagitis in some patients => linear
  erosions in the distal esophagus | esophageal pH monitoring => increased acid exposure time => acid
  exposure {8:14}% of the recording
ddx: stable angina; eosinophilic esophagitis; peptic ulcer disease; functional heartburn
tx1: weight loss and elevation of the head of the bed; omeprazole before breakfast for eight weeks
tx2: famotidine at bedtime for night symptoms; antireflux surgery for selected patients
rx: omeprazole = 20 mg by mouth once daily 30 minutes before breakfast
comp: esophageal stricture; Barrett esophagus; aspiration
prog: most patients respond to acid suppression, although relapse is common after stopping | the lowest
  effective dose should be used for maintenance
fu: clinic review in 8 weeks; endoscopy if alarm features appear
teach: finish the evening meal three hours before bed; raise the head of the bed; take the capsule before
  food
warn: difficulty swallowing; vomiting blood; weight loss

# peptic ulcer disease
field: gastroenterology
age: 32-78
onset: 3 weeks; 5 weeks; 2 months
def: a break in the lining of the stomach or duodenum that extends through the muscularis mucosae
mech: Helicobacter pylori infection disturbs mucosal defense and acid regulation | anti-inflammatory drugs
  suppress prostaglandins that protect the mucosa | acid and pepsin then deepen the injury
epi: most ulcers are caused by Helicobacter pylori or by anti-inflammatory drugs
risk: Helicobacter pylori infection; regular use of anti-inflammatory drugs; cigarette smoking; a previous
  ulcer
sx: burning epigastric pain; pain at night; bloating; early fullness; nausea
signs: epigastric tenderness; mild pallor
neg: difficulty swallowing; jaundice; diarrhea
tests: upper endoscopy => a mucosal crater => a clean-based duodenal ulcer of {8:12} mm | Helicobacter
  pylori stool antigen => a positive result => positive | hemoglobin => a low value when bleeding has
  occurred => {10.4:12.2} g/dL
ddx: functional dyspepsia; gastric cancer; biliary colic; gastroesophageal reflux disease
tx1: omeprazole for several weeks; eradication of Helicobacter pylori with combination therapy; withdrawal
  of anti-inflammatory drugs
tx2: endoscopic hemostasis for bleeding; surgery for perforation
rx: omeprazole = 20 mg by mouth twice daily | bismuth subsalicylate = 524 mg by mouth four times daily for
  14 days | metronidazole = 500 mg by mouth three times daily for 14 days | tetracycline = 500 mg by mouth
  four times daily for 14 days
comp: bleeding; perforation; gastric outlet obstruction
prog: recurrence is uncommon once Helicobacter pylori has been eradicated and offending drugs are stopped |
  gastric ulcers need repeat endoscopy to confirm healing
fu: test of cure at least 4 weeks after antibiotics; clinic review in 6 weeks; repeat blood count
teach: avoid ibuprofen and aspirin unless a clinician advises otherwise; finish all four medicines; stop
  smoking
warn: black stools; vomiting blood; sudden severe abdominal pain

# acute appendicitis
field: general surgery
age: 10-42
vitals: lowfever tachycardic
onset: 12 hours; 18 hours; 1 day
def: acute inflammation of the vermiform appendix
mech: obstruction of the lumen by a fecalith or lymphoid tissue raises the pressure inside the appendix |
  venous congestion and bacterial overgrowth follow | pain shifts from the umbilicus to the right lower
  quadrant when the parietal peritoneum becomes inflamed
epi: the lifetime risk is about 7 to 8%, with a peak in the second and third decades
risk: age between 10 and 30 years; a family history of appendicitis; a fecalith seen on imaging
sx: pain that began near the umbilicus and moved to the right lower abdomen; loss of appetite; nausea; one
  episode of vomiting; low-grade fever
signs: tenderness at the McBurney point; guarding; pain in the right lower quadrant on pressing the left
  side; pain on coughing
neg: burning on urination; diarrhea; cough
tests: complete blood count => leukocytosis with neutrophilia => white cell count {12.4:17.2} x 10^9/L |
  abdominal imaging with ultrasonography or computed tomography => a dilated noncompressible appendix => an
  appendix of {9:13} mm with surrounding fat stranding | urinalysis => a normal result or few white cells =>
  no nitrites, few white cells
ddx: mesenteric adenitis; Crohn disease; nephrolithiasis; ovarian torsion in female patients
tx1: laparoscopic appendectomy; intravenous fluids; preoperative antibiotics such as ceftriaxone with
  metronidazole
tx2: antibiotics alone in selected uncomplicated cases; percutaneous drainage of an abscess
rx: ceftriaxone = 1 g intravenously before surgery | metronidazole = 500 mg intravenously before surgery |
  acetaminophen = 500 mg by mouth every 6 hours as needed
home: acetaminophen
comp: perforation; abscess; peritonitis; wound infection
prog: recovery is rapid after uncomplicated surgery | the risk of perforation rises with delay
fu: surgical clinic visit in 2 weeks; review of the pathology report
teach: avoid heavy lifting for two weeks; keep the small wounds dry for two days; eat normally as appetite
  returns
warn: fever; increasing abdominal pain; pus from a wound
img: CT of the abdomen and pelvis with contrast => The appendix measures 11 mm in diameter with wall
  enhancement and surrounding fat stranding; An appendicolith is present at the base; There is no abscess or
  free air => Acute uncomplicated appendicitis
course: Laparoscopic appendectomy was performed without complication on the day of arrival. | The appendix
  was inflamed but not perforated. | Diet was resumed the next morning, and pain was controlled with oral
  acetaminophen.
nurse: three small port sites are clean and dry; passing flatus; tolerating a light diet; walked in the
  corridor twice

# acute cholecystitis
field: general surgery
age: 34-74
vitals: febrile tachycardic
onset: 12 hours; 1 day; 2 days
def: acute inflammation of the gallbladder, usually caused by a stone lodged in the cystic duct
mech: obstruction of the cystic duct distends the gallbladder | chemical irritation by bile and secondary
  bacterial infection inflame the wall | inflammation of the adjacent peritoneum localizes the pain to the
  right upper quadrant
epi: gallstones are responsible for about nine cases in ten
risk: female sex; obesity; rapid weight loss; pregnancy; older age
sx: steady right upper abdominal pain; pain spreading to the right shoulder blade; nausea and vomiting;
  fever; onset after a fatty meal
signs: inspiratory arrest on palpation below the right ribs; right upper quadrant guarding; mild fever
neg: jaundice; diarrhea; chest pressure on exertion
tests: abdominal ultrasonography => gallstones with a thickened gallbladder wall => stones with a wall
  thickness of {4:7} mm | complete blood count => leukocytosis => white cell count {12.2:17.4} x 10^9/L |
  total bilirubin => a normal or slightly raised value => {0.8:1.4} mg/dL
ddx: biliary colic; peptic ulcer disease; acute pancreatitis; acute hepatitis; right lower lobe pneumonia
tx1: early laparoscopic cholecystectomy; intravenous fluids and pain relief; ceftriaxone with metronidazole
tx2: percutaneous gallbladder drainage in patients too ill for surgery; endoscopic removal of common duct
  stones
rx: ceftriaxone = 1 g intravenously once daily | metronidazole = 500 mg intravenously every 8 hours |
  acetaminophen = 650 mg by mouth every 6 hours as needed
home: acetaminophen
comp: gangrene of the gallbladder; perforation; cholangitis; gallstone pancreatitis
prog: surgery within the first days of illness shortens the stay and prevents recurrence | most patients
  return to normal activity within two weeks
fu: surgical clinic visit in 2 weeks; pathology review
teach: eat small low-fat meals at first; avoid heavy lifting for two weeks; keep wounds clean and dry
warn: yellow eyes; fever; worsening abdominal pain
img: Ultrasound of the right upper quadrant => Several shadowing gallstones are present, one of them fixed
  in the gallbladder neck; The gallbladder wall is thickened with pericholecystic fluid; The common bile
  duct measures 4 mm; A sonographic Murphy sign is present => Acute calculous cholecystitis without biliary
  dilation
course: Laparoscopic cholecystectomy was performed on the second hospital day without complication. | Liver
  tests remained close to normal, and no duct stone was found. | Antibiotics were stopped after surgery.
nurse: port sites are clean and dry; pain is 3 out of 10 with oral medicine; tolerating a low-fat diet; up
  to the chair for all meals

# acute pancreatitis
field: gastroenterology
age: 30-72
vitals: tachycardic lowfever
onset: 10 hours; 1 day; 2 days
def: acute inflammation of the pancreas in which digestive enzymes injure the gland and nearby tissue
mech: premature activation of trypsin inside acinar cells starts autodigestion | gallstones cause it by
  transient obstruction of the ampulla, and alcohol by direct toxic effects | systemic inflammation may lead
  to fluid shifts and organ failure
epi: gallstones and alcohol are responsible for most cases
risk: gallstones; heavy alcohol use; triglycerides above 1,000 mg/dL; recent endoscopic bile duct procedure;
  certain drugs
sx: severe epigastric pain; pain boring through to the back; nausea and repeated vomiting; relief on leaning
  forward; abdominal bloating
signs: epigastric tenderness with guarding; reduced bowel sounds; dry mucous membranes
neg: diarrhea; blood in the vomit; burning on urination
tests: serum lipase => a value at least three times the upper limit of normal => {860:3400} U/L | abdominal
  ultrasonography => gallstones when they are the cause => gallstones without duct dilation | hematocrit =>
  a high value when plasma volume is depleted => {45:50}%
ddx: perforated peptic ulcer; acute cholecystitis; mesenteric ischemia; myocardial infarction
tx1: moderate intravenous fluid resuscitation; pain control with morphine when needed; early oral feeding as
  tolerated
tx2: endoscopic removal of duct stones when cholangitis is present; drainage of infected necrosis;
  cholecystectomy before discharge in mild gallstone disease
rx: morphine = 4 mg intravenously every 4 hours as needed for pain | ondansetron = 4 mg intravenously every
  8 hours as needed | acetaminophen = 650 mg by mouth every 6 hours as needed
acute: morphine; ondansetron
home: acetaminophen
comp: pancreatic necrosis; pseudocyst; respiratory failure; kidney injury; new diabetes mellitus
prog: about four in five cases are mild and settle within a week | persistent organ failure carries a high
  mortality
fu: surgical visit in 1 week; lipid profile in 6 weeks; alcohol support where relevant
teach: avoid alcohol completely; eat small low-fat meals; drink plenty of water
warn: return of severe pain; fever; vomiting that prevents drinking
img: CT of the abdomen with contrast => The pancreas is enlarged with surrounding fat stranding; The gland
  enhances throughout without necrosis; A small amount of fluid is seen in the left anterior pararenal
  space; Gallstones are present => Acute interstitial edematous pancreatitis with gallstones
course: Pain settled over three days with fluids and intravenous morphine, which was then stopped. | Oral
  feeding was resumed on the second day without recurrence of pain. | Laparoscopic cholecystectomy was
  performed before discharge.
nurse: pain is 4 out of 10 after medication; urine output is above 0.5 mL/kg per hour; tolerating clear
  fluids; bowel sounds are present

# cirrhosis
field: hepatology
age: 42-72
onset: 3 weeks; 6 weeks; 2 months
def: the end stage of chronic liver injury, in which fibrosis and regenerative nodules replace normal
  architecture
mech: activated stellate cells deposit collagen and distort the sinusoids | resistance to portal flow causes
  portal hypertension | splanchnic vasodilation leads to sodium retention and ascites
epi: alcohol, metabolic fatty liver disease and chronic viral hepatitis are the leading causes
risk: heavy alcohol use; chronic hepatitis C; chronic hepatitis B; obesity with fatty liver disease;
  hemochromatosis
sx: abdominal swelling; fatigue; ankle swelling; easy bruising; itching
signs: shifting dullness; spider angiomas; palmar erythema; an enlarged spleen; mild jaundice
neg: black stools; fever; confusion
tests: liver chemistry => low albumin with raised bilirubin => albumin {2.4:3.1} g/dL, bilirubin {1.8:3.6}
  mg/dL | international normalized ratio => prolongation => {1.4:1.8} | ascitic fluid analysis => a
  serum-ascites albumin gradient of 1.1 g/dL or more => gradient {1.4:2.2} g/dL, neutrophils below 250 per
  microliter | platelet count => a low value => {68:118} x 10^9/L
ddx: heart failure; Budd-Chiari syndrome; peritoneal malignancy; constrictive pericarditis
tx1: removal of the cause, including alcohol abstinence; sodium restriction; spironolactone with furosemide
  for ascites
tx2: carvedilol to lower portal pressure; lactulose for hepatic encephalopathy; large-volume paracentesis;
  liver transplantation
rx: spironolactone = 100 mg by mouth once daily | furosemide = 40 mg by mouth once daily | lactulose = 20 g
  by mouth twice daily, adjusted to two or three soft stools a day
comp: variceal bleeding; spontaneous bacterial peritonitis; hepatic encephalopathy; hepatorenal syndrome;
  hepatocellular carcinoma
prog: median survival falls markedly once decompensation occurs | abstinence improves outcome even in
  advanced alcohol-related disease
fu: liver clinic in 2 weeks; ultrasound every 6 months for liver cancer surveillance; endoscopy for varices
teach: avoid alcohol completely; eat a late evening snack; avoid ibuprofen and similar drugs
warn: vomiting blood; confusion; fever with abdominal pain
img: Ultrasound of the abdomen => The liver is small with a nodular surface and coarse echotexture; The
  spleen measures 15 cm; A moderate amount of ascites is present; Portal vein flow is toward the liver =>
  Cirrhosis with portal hypertension and moderate ascites, without a focal liver lesion
course: Five liters of ascites were drained with albumin replacement, and the fluid showed no infection. |
  Diuretics were restarted, and sodium and creatinine remained stable. | Nutrition advice and alcohol
  support were arranged.
nurse: abdominal girth is down by 4 cm since admission; oriented to person, place and time; two soft stools
  today; low-salt diet is being followed
"""
