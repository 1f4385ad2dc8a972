"""Conditions of the kidneys and the urinary tract, and gout (parsed by ``records.parse_conditions``)."""

TEXT = """
# chronic kidney disease
field: nephrology
age: 46-84
vitals: hypertensive
onset: 4 months; 8 months; 1 year
def: abnormal kidney structure or function that has been present for more than three months
mech: loss of nephrons increases filtration in those that remain, which promotes further scarring | reduced
  erythropoietin production leads to anemia | phosphate retention and low active vitamin D stimulate
  parathyroid hormone
epi: diabetes and hypertension together account for most cases worldwide
risk: diabetes mellitus; hypertension; older age; a family history of kidney disease; long-term
  anti-inflammatory drug use
sx: fatigue; waking at night to urinate; ankle swelling; itching; poor appetite
signs: pallor; mild ankle edema; dry scratch-marked skin
neg: visible blood in the urine; flank pain; fever
tests: estimated glomerular filtration rate => a value below 60 mL/min/1.73 m2 for three months => {24:48}
  mL/min/1.73 m2 | urine albumin-to-creatinine ratio => 30 mg/g or more => {180:760} mg/g | renal
  ultrasonography => small echogenic kidneys => bilaterally small echogenic kidneys without obstruction |
  hemoglobin => a low value as function declines => {9.6:11.4} g/dL
ddx: acute kidney injury; obstructive uropathy; renal artery stenosis; multiple myeloma
tx1: blood pressure control with losartan or lisinopril; a sodium-glucose cotransporter-2 inhibitor such as
  empagliflozin; atorvastatin; avoidance of nephrotoxic drugs
tx2: treatment of anemia, acidosis and phosphate retention; dialysis or transplantation when function fails
rx: losartan = 50 mg by mouth once daily | empagliflozin = 10 mg by mouth once daily | atorvastatin = 20 mg
  by mouth at bedtime
comp: hyperkalemia; anemia; mineral and bone disorder; cardiovascular disease; end-stage kidney disease
prog: the degree of albuminuria predicts progression | most patients die of cardiovascular disease rather
  than of kidney failure
fu: creatinine and potassium in 2 weeks; nephrology visit in 3 months; hepatitis B vaccination
teach: avoid ibuprofen and similar pain relievers; keep salt intake low; pause some tablets on days of
  vomiting or diarrhea as instructed
warn: marked fall in urine output; breathlessness; muscle weakness

# nephrolithiasis
field: urology
age: 24-64
vitals: tachycardic
onset: 3 hours; 6 hours; 12 hours
def: the formation of stones in the urinary tract
mech: urine that is supersaturated with calcium, oxalate or uric acid forms crystals | a stone that enters
  the ureter obstructs flow, and the rise in pressure causes colic | low urine volume is the most common
  correctable factor
epi: about one person in ten will have a stone at some time in life
risk: low fluid intake; a previous stone; high salt intake; hot climate; gout; primary hyperparathyroidism
sx: severe colicky flank pain; radiation of the pain to the groin; nausea and vomiting; blood-tinged urine;
  restlessness
signs: costovertebral angle tenderness; inability to lie still; a soft abdomen
neg: fever; diarrhea; chest pain
tests: noncontrast computed tomography => a radiodense stone with ureteral dilation => a {4:6} mm stone in
  the distal left ureter with mild hydronephrosis | urinalysis => microscopic hematuria => many red cells,
  no nitrites | serum creatinine => a value that is usually normal => {0.8:1.2} mg/dL
ddx: acute pyelonephritis; abdominal aortic aneurysm; acute appendicitis; biliary colic
tx1: ibuprofen or another anti-inflammatory drug for pain; ondansetron for nausea; tamsulosin for distal
  ureteral stones; oral fluids
tx2: ureteroscopy; shock wave lithotripsy; urgent decompression when infection accompanies obstruction
rx: ibuprofen = 600 mg by mouth every 6 hours with food | tamsulosin = 0.4 mg by mouth once daily |
  ondansetron = 4 mg by mouth every 8 hours as needed
comp: obstructive infection; hydronephrosis; kidney injury; recurrence
prog: most stones of 5 mm or less pass without intervention | about half of patients have another stone
  within ten years without prevention
fu: urology visit in 2 weeks; stone analysis; 24-hour urine collection after recurrence
teach: drink enough to pass at least two and a half liters of urine a day; strain the urine and keep the
  stone; eat less salt
warn: fever or chills; uncontrolled pain; inability to pass urine
img: Noncontrast CT of the abdomen and pelvis => A 5 mm calcific stone is present in the distal left ureter;
  There is mild left hydronephrosis with perinephric stranding; The right kidney and the appendix are normal
  => Obstructing distal left ureteral stone with mild hydronephrosis

# acute uncomplicated cystitis
short: cystitis
field: primary care
sex: female
age: 18-46
onset: 1 day; 2 days; 3 days
def: a bacterial infection confined to the bladder in a patient with a normal urinary tract
mech: bowel bacteria colonize the area around the urethra and ascend to the bladder | Escherichia coli binds
  to bladder cells by means of fimbriae | the short female urethra makes ascent easier
epi: about half of all women have at least one episode in their lifetime
risk: recent sexual intercourse; spermicide use; a previous urinary infection; a new sexual partner
sx: burning on urination; urgency; frequent small voids; suprapubic discomfort; cloudy urine
signs: mild suprapubic tenderness; no costovertebral angle tenderness
neg: fever; flank pain; vaginal discharge
tests: urinalysis => pyuria, often with nitrites => positive leukocyte esterase and nitrites | urine culture
  => growth of a uropathogen => Escherichia coli, more than 100,000 colonies per mL
ddx: vaginitis; urethritis; interstitial cystitis; acute pyelonephritis
tx1: nitrofurantoin for five days; increased fluids for comfort
tx2: fosfomycin in a single dose; trimethoprim-sulfamethoxazole where resistance is low; cephalexin as an
  alternative
rx: nitrofurantoin = 100 mg by mouth twice daily for 5 days
comp: acute pyelonephritis; recurrent infection
prog: symptoms usually settle within two or three days of treatment | recurrent infection can be reduced by
  behavioral and preventive measures
fu: a visit only if symptoms do not resolve; urine culture if symptoms persist after 3 days
teach: finish the full course; drink to thirst; urinate after intercourse
warn: fever; back pain; vomiting

# acute pyelonephritis
field: infectious diseases
sex: female
age: 20-62
vitals: febrile tachycardic
onset: 1 day; 2 days; 3 days
def: a bacterial infection of the renal pelvis and parenchyma
mech: bacteria ascend from the bladder through the ureter to the kidney | an intense neutrophilic reaction
  produces fever, pain and systemic symptoms | obstruction or reflux makes the infection more severe
epi: Escherichia coli causes most community-acquired cases
risk: recent cystitis; diabetes mellitus; pregnancy; urinary tract obstruction; vesicoureteral reflux
sx: fever with shaking chills; one-sided flank pain; nausea and vomiting; burning on urination; urinary
  frequency
signs: marked costovertebral angle tenderness; mild suprapubic tenderness; flushed skin
neg: cough; vaginal bleeding; diarrhea
tests: urinalysis => pyuria with white cell casts => white cell casts and positive nitrites | urine culture
  => growth of a uropathogen with its sensitivities => Escherichia coli sensitive to ceftriaxone | complete
  blood count => leukocytosis => white cell count {13.4:19.2} x 10^9/L
ddx: nephrolithiasis; acute appendicitis; pelvic inflammatory disease; lower lobe pneumonia
tx1: ciprofloxacin where local resistance is low; an initial dose of ceftriaxone; antipyretics and fluids
tx2: intravenous antibiotics in hospital for sepsis, vomiting or pregnancy; drainage of an obstructed system
rx: ceftriaxone = 1 g intravenously once daily | ciprofloxacin = 500 mg by mouth twice daily for 7 days |
  acetaminophen = 650 mg by mouth every 6 hours as needed | ondansetron = 4 mg every 8 hours as needed
acute: ceftriaxone; acetaminophen; ondansetron
home: ciprofloxacin; acetaminophen
comp: sepsis; renal abscess; acute kidney injury; preterm labor in pregnancy
prog: fever should settle within 72 hours of effective treatment | persistent fever calls for imaging to
  exclude obstruction or abscess
fu: clinic call in 48 hours; clinic visit in 1 week; imaging if fever persists beyond 3 days
teach: take every dose of the antibiotic; drink plenty of fluids; use acetaminophen for fever
warn: persistent vomiting; fever after three days of treatment; faintness
course: Intravenous ceftriaxone was given for two days, after which the fever resolved. | Urine culture grew
  sensitive Escherichia coli, and treatment was changed to oral ciprofloxacin. | Renal ultrasound showed no
  obstruction.
nurse: temperature is falling after acetaminophen; tolerating sips of fluid; flank pain is 3 out of 10;
  urine output is adequate

# benign prostatic hyperplasia
field: urology
sex: male
age: 54-82
onset: 6 months; 1 year; 2 years
def: nonmalignant enlargement of the prostate that may obstruct the flow of urine
mech: stromal and glandular cells multiply in the transition zone under the influence of dihydrotestosterone
  | obstruction has a static part due to bulk and a dynamic part due to smooth muscle tone | the bladder
  muscle thickens and becomes overactive in response
epi: about half of men in their fifties have histological changes, and the share rises with each decade
risk: older age; obesity; a family history of early prostate enlargement; metabolic syndrome
sx: weak urinary stream; hesitancy; waking several times at night to urinate; a sense of incomplete
  emptying; dribbling at the end of voiding
signs: a smooth symmetrically enlarged prostate; no palpable bladder
neg: visible blood in the urine; fever; weight loss
tests: International Prostate Symptom Score => a score of 8 or more when symptoms are at least moderate => a
  score of {12:22} | post-void residual volume => an increased volume in obstruction => {60:160} mL |
  prostate-specific antigen => a normal or mildly raised concentration => {1.2:3.4} ng/mL
ddx: prostate cancer; urethral stricture; overactive bladder; urinary tract infection
tx1: lifestyle measures; an alpha blocker such as tamsulosin
tx2: finasteride for larger glands; combination drug therapy; transurethral resection of the prostate
rx: tamsulosin = 0.4 mg by mouth once daily after the same meal | finasteride = 5 mg by mouth once daily
comp: acute urinary retention; bladder stones; recurrent urinary infection; obstructive kidney injury
prog: alpha blockers relieve symptoms within days, whereas finasteride takes about six months | a large
  prostate predicts progression
fu: clinic review in 6 weeks; repeat symptom score; yearly prostate-specific antigen after discussion
teach: limit fluids in the two hours before bed; avoid decongestants; rise slowly after starting tamsulosin
warn: inability to pass urine; blood in the urine; fever

# gout
field: rheumatology
sex: male
age: 36-78
onset: 12 hours; 1 day; 2 days
def: an inflammatory arthritis caused by deposition of monosodium urate crystals
mech: sustained hyperuricemia allows urate crystals to form in and around joints | crystals activate the
  inflammasome in macrophages, with release of interleukin-1 beta | reduced renal excretion of urate is the
  usual cause of hyperuricemia
epi: it is the most common inflammatory arthritis in adult men
risk: hyperuricemia; obesity; heavy beer or spirit intake; diuretic therapy; chronic kidney disease; a diet
  rich in red meat and seafood
sx: sudden severe pain in the great toe; swelling of the joint; redness; inability to bear a bedsheet on the
  foot; pain that disturbed sleep
signs: a red, hot, swollen first metatarsophalangeal joint; extreme tenderness to touch; a tophus on the ear
neg: injury; rash; urethral discharge
tests: synovial fluid analysis => negatively birefringent needle-shaped crystals => needle-shaped negatively
  birefringent crystals, Gram stain negative | serum urate => a value above 6.8 mg/dL, although it may be
  normal during an attack => {7.6:9.8} mg/dL
ddx: septic arthritis; calcium pyrophosphate deposition disease; cellulitis; reactive arthritis
tx1: colchicine in low dose; ibuprofen or another anti-inflammatory drug; prednisone when other drugs are
  unsuitable
tx2: allopurinol to lower urate in recurrent disease; colchicine prophylaxis during the first months of
  allopurinol; febuxostat as an alternative
rx: colchicine = 1.2 mg by mouth at once, then 0.6 mg one hour later | ibuprofen = 600 mg by mouth three
  times daily with food
pick: 1
comp: chronic tophaceous arthritis; urate kidney stones; joint destruction
prog: untreated attacks settle in one to two weeks | keeping urate below 6 mg/dL prevents attacks and
  dissolves tophi
fu: serum urate every 4 weeks until below 6 mg/dL; clinic review in 2 weeks; kidney function check
teach: keep taking allopurinol during an attack; cut down on beer and spirits; rest and ice the joint
warn: fever; spread of redness; rash after starting allopurinol

# minimal change disease
field: pediatric nephrology
age: 3-8
informant: parent
onset: 5 days; 1 week; 10 days
def: the most common cause of nephrotic syndrome in children, with normal glomeruli on light microscopy
mech: injury to the podocytes allows albumin to leak into the urine | effacement of the podocyte foot
  processes is the only structural change on electron microscopy | low plasma oncotic pressure and sodium
  retention produce edema
epi: it causes the great majority of cases of nephrotic syndrome between the ages of two and eight years
risk: a recent upper respiratory infection; an atopic background; male sex in childhood
sx: puffy eyelids in the morning; swelling of the legs; foamy urine; a tight waistband; tiredness
signs: periorbital edema; pitting edema of the shins; shifting dullness of the abdomen
neg: visible blood in the urine; rash; joint pain
tests: urinalysis => heavy proteinuria without red cell casts => protein 4+, no red cell casts | serum
  albumin => a low concentration => {1.6:2.3} g/dL | total cholesterol => an elevated concentration =>
  {310:420} mg/dL
ddx: focal segmental glomerulosclerosis; postinfectious glomerulonephritis; protein-losing enteropathy;
  allergic angioedema
tx1: prednisone for several weeks followed by a taper; salt restriction during edema
tx2: furosemide with albumin for severe edema; steroid-sparing drugs for frequent relapses
rx: prednisone = 2 mg/kg by mouth once daily, to a maximum of 60 mg
comp: peritonitis; venous thrombosis; relapse; steroid side effects
prog: more than 90% of children respond to steroids within four weeks | relapses are common but kidney
  function is usually preserved
fu: clinic visit in 1 week; home urine dipstick diary; review of vaccinations
teach: test the first morning urine each day; avoid salty snacks while swollen; call for fever because
  infection risk is higher
warn: fever; abdominal pain; reduced urine output
course: Prednisone was started on the first day, and diuresis began on the eighth day. | Weight fell by 2.4
  kg as the edema resolved. | Urine protein was trace on the day of discharge.
nurse: weight is stable since yesterday; eyelid swelling is less this morning; no added salt diet is being
  followed; parents are learning the urine dipstick
"""
