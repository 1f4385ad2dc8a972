"""Conditions of hormones, bone, kidney and urinary tract (parsed by ``records.parse_conditions``)."""

TEXT = """
# type 2 diabetes mellitus
short: type 2 diabetes
field: endocrinology
age: 38-78
onset: 2 months; 4 months; 6 months
def: a chronic disorder of glucose metabolism in which insulin resistance is combined with a progressive loss of insulin secretion
mech: resistance to insulin in muscle and liver forces the beta cells to secrete more hormone | beta-cell function declines over years until compensation fails | excess hepatic glucose output raises the fasting glucose concentration
epi: it accounts for more than 90% of all diabetes in adults
risk: obesity; physical inactivity; a first-degree relative with diabetes; previous gestational diabetes; older age; polycystic ovary syndrome
sx: increased thirst; frequent urination; fatigue; blurred vision; slow healing of minor wounds
signs: central obesity; velvety darkening of the skin of the neck; reduced vibration sense in the toes
neg: weight loss; abdominal pain; vomiting
tests: hemoglobin A1c => a value of 6.5% or higher => {7.4:10.2}% | fasting plasma glucose => a concentration of 126 mg/dL or higher => {148:236} mg/dL | urine albumin-to-creatinine ratio => 30 mg/g or more when the kidneys are affected => {12:64} mg/g
ddx: type 1 diabetes; steroid-induced hyperglycemia; pancreatic disease
tx1: structured lifestyle change; metformin; an agent with cardiovascular or kidney benefit such as empagliflozin or semaglutide when indicated
tx2: glipizide when cost limits other choices; insulin glargine when targets are not met
rx: metformin = 500 mg by mouth twice daily with meals | empagliflozin = 10 mg by mouth once daily
comp: retinopathy; diabetic kidney disease; peripheral neuropathy; coronary artery disease; foot ulceration
prog: good glucose control lowers the risk of microvascular disease | blood pressure and lipid treatment add to the benefit of glucose control
fu: hemoglobin A1c in 3 months; yearly dilated eye examination; yearly urine albumin and foot examination
teach: check both feet every evening; spread carbohydrate evenly over the day; aim for 150 minutes of walking a week
warn: vomiting with inability to drink; a foot wound that does not heal; sudden visual change

# type 1 diabetes mellitus
short: type 1 diabetes
field: endocrinology
age: 9-30
onset: 10 days; 2 weeks; 3 weeks
def: a disorder of glucose metabolism caused by autoimmune destruction of the insulin-producing beta cells
mech: autoreactive T cells destroy the beta cells of the pancreatic islets | absolute insulin deficiency leads to hyperglycemia, lipolysis and ketone production | islet autoantibodies often appear years before symptoms
epi: onset is most common in childhood and adolescence but may occur at any age
risk: a first-degree relative with the disease; certain HLA types; another autoimmune disease such as celiac disease
sx: increased thirst; frequent urination; weight loss despite a good appetite; tiredness; new bed-wetting or waking at night to urinate
signs: dry mucous membranes; a thin body habitus; mild tachycardia
neg: abdominal pain; vomiting; fever
tests: random plasma glucose => a concentration of 200 mg/dL or higher with symptoms => {286:412} mg/dL | islet autoantibody testing => antibodies such as those against glutamic acid decarboxylase => positive for glutamic acid decarboxylase antibody | C-peptide => a low concentration => {0.2:0.5} ng/mL
ddx: type 2 diabetes; monogenic diabetes; diabetes insipidus
tx1: basal and mealtime insulin; insulin glargine as the basal component; structured education with carbohydrate counting
tx2: insulin pump therapy; hybrid closed-loop systems; continuous glucose monitoring
rx: insulin glargine = 10 units under the skin at bedtime | insulin lispro = 3 units under the skin before each meal
comp: diabetic ketoacidosis; severe hypoglycemia; retinopathy; diabetic kidney disease
prog: lifelong insulin is required | intensive control early in the disease has benefits that persist for decades
fu: diabetes educator visit within 3 days; hemoglobin A1c every 3 months; thyroid and celiac screening
teach: never omit the basal insulin; carry glucose tablets; test for ketones when unwell
warn: vomiting; glucose above 300 mg/dL with ketones; severe low glucose

# diabetic ketoacidosis
field: endocrinology
age: 16-58
vitals: tachycardic tachypneic dry
onset: 1 day; 2 days
def: a metabolic emergency defined by hyperglycemia, ketonemia and metabolic acidosis
mech: insulin deficiency and excess counter-regulatory hormones drive lipolysis and hepatic ketone production | hyperglycemia causes osmotic diuresis with loss of water, sodium and potassium | total body potassium is low even when the serum level is normal or high
epi: infection and missed insulin are the most common triggers
risk: omission of insulin; acute infection; newly presenting type 1 diabetes; pump failure; use of a sodium-glucose cotransporter-2 inhibitor
sx: nausea and vomiting; diffuse abdominal pain; intense thirst; frequent urination; weakness
signs: deep rapid breathing; a fruity odor on the breath; dry mucous membranes; poor skin turgor
neg: diarrhea; chest pain; headache
tests: serum glucose => a concentration usually above 250 mg/dL => {388:610} mg/dL | venous blood gas => a low pH with a low bicarbonate => pH {7.08:7.22}, bicarbonate {7:13} mmol/L | serum beta-hydroxybutyrate => a concentration of 3 mmol/L or more => {4.2:7.6} mmol/L | serum potassium => a normal or high value despite total body depletion => {4.6:5.6} mmol/L
ddx: hyperosmolar hyperglycemic state; alcoholic ketoacidosis; lactic acidosis; acute pancreatitis
tx1: intravenous crystalloid; continuous intravenous insulin; potassium replacement; treatment of the trigger
tx2: addition of dextrose once glucose falls below about 250 mg/dL; overlap with long-acting insulin glargine before the infusion is stopped
rx: insulin glargine = 18 units under the skin at bedtime | insulin lispro = 5 units under the skin before each meal
comp: hypokalemia; hypoglycemia; cerebral edema, mainly in children; venous thrombosis
prog: mortality is below 1% in most adult centers | recurrence usually reflects interrupted insulin
fu: diabetes clinic within 1 week; basic metabolic panel in 3 days; review of sick-day rules
teach: keep taking basal insulin even when not eating; check ketones when glucose is above 250 mg/dL; call early when vomiting
warn: repeated vomiting; drowsiness; rapid breathing
course: The anion gap closed after about 14 hours of insulin infusion and fluids. | Potassium was replaced to keep the level above 4 mmol/L. | Basal insulin was given two hours before the infusion was stopped.
nurse: hourly glucose checks are falling steadily; insulin infusion is running through a dedicated line; urine output is adequate; alert and asking for water

# primary hypothyroidism
short: hypothyroidism
field: endocrinology
age: 26-74
vitals: slow
onset: 3 months; 6 months; 9 months
def: a deficiency of thyroid hormone due to disease of the thyroid gland itself
mech: autoimmune thyroiditis gradually destroys thyroid follicles | falling thyroid hormone removes negative feedback, so that thyroid-stimulating hormone rises | low thyroid hormone slows metabolism in almost every organ
epi: it is several times more common in women than in men
risk: female sex; a family history of thyroid disease; previous radioiodine or thyroid surgery; treatment with amiodarone or lithium; another autoimmune disease
sx: fatigue; weight gain; feeling cold; constipation; dry skin; slowed thinking
signs: coarse dry skin; slow relaxation of the ankle reflexes; periorbital puffiness; a firm small goiter
neg: palpitations; tremor; heat intolerance
tests: thyroid-stimulating hormone => an elevated concentration => {14:62} mIU/L | free thyroxine => a low concentration => {0.3:0.7} ng/dL | thyroid peroxidase antibody => a positive result in autoimmune disease => positive
ddx: depression; iron deficiency anemia; central hypothyroidism; obstructive sleep apnea
tx1: levothyroxine once daily; dose adjustment according to thyroid-stimulating hormone
tx2: a lower starting dose in older patients or those with coronary disease; a higher dose during pregnancy
rx: levothyroxine = 75 mcg by mouth once daily before breakfast
comp: hyperlipidemia; myxedema coma; infertility; pericardial effusion
prog: symptoms improve within weeks, and thyroid-stimulating hormone stabilizes after about six weeks on a constant dose | treatment is usually lifelong
fu: thyroid-stimulating hormone in 6 weeks; yearly thyroid-stimulating hormone once stable; early testing when pregnancy occurs
teach: take the tablet on an empty stomach with water; keep calcium and iron tablets four hours apart from it; do not change brand without a blood test
warn: chest pain; marked drowsiness; palpitations

# Graves disease
field: endocrinology
age: 22-56
vitals: fast
onset: 6 weeks; 2 months; 3 months
def: an autoimmune disorder in which antibodies stimulate the thyroid-stimulating hormone receptor and cause hyperthyroidism
mech: receptor-stimulating antibodies drive thyroid growth and hormone release independent of the pituitary | orbital fibroblasts share the receptor, which explains the associated eye disease | thyroid hormone excess increases sensitivity to catecholamines
epi: it is the most common cause of hyperthyroidism in areas with adequate iodine intake
risk: female sex; a family history of autoimmune thyroid disease; cigarette smoking; recent childbirth
sx: weight loss despite a good appetite; palpitations; heat intolerance; tremor; anxiety; frequent bowel movements
signs: a diffuse goiter with a bruit; lid lag; fine tremor of the outstretched hands; warm moist skin; mild proptosis
neg: neck pain; cold intolerance; constipation
tests: thyroid-stimulating hormone => a suppressed concentration => below 0.01 mIU/L | free thyroxine => an elevated concentration => {2.8:5.2} ng/dL | thyrotropin receptor antibody => a positive result => positive
ddx: toxic multinodular goiter; subacute thyroiditis; excess thyroid hormone intake; anxiety disorder
tx1: methimazole; propranolol for symptom relief
tx2: radioactive iodine; thyroidectomy; propylthiouracil in the first trimester of pregnancy
rx: methimazole = 20 mg by mouth once daily | propranolol = 20 mg by mouth three times daily
comp: atrial fibrillation; thyroid storm; osteoporosis; sight-threatening orbitopathy
prog: about half of patients relapse after a course of antithyroid drug | smoking worsens the eye disease
fu: free thyroxine in 4 weeks; eye examination; liver enzymes and blood count if symptoms suggest toxicity
teach: stop smoking; stop the tablets and seek a blood count for fever or sore throat; use lubricating eye drops
warn: fever with sore throat; double vision; racing heartbeat with confusion

# primary adrenal insufficiency
field: endocrinology
age: 24-58
vitals: hypotensive
onset: 6 weeks; 3 months; 4 months
def: failure of the adrenal cortex to make enough cortisol and aldosterone
mech: autoimmune destruction of the adrenal cortex is the usual cause in high-income countries | low cortisol removes feedback on the pituitary, and the resulting excess of corticotropin darkens the skin | lack of aldosterone causes sodium loss, potassium retention and low blood pressure
epi: it is rare, and diagnosis is often delayed because early symptoms are vague
risk: another autoimmune disease; tuberculosis; adrenal hemorrhage; bilateral adrenal metastases
sx: profound fatigue; weight loss; dizziness on standing; salt craving; nausea
signs: darkening of the palmar creases; postural fall in blood pressure; pigmentation of the gums
neg: fever; diarrhea with blood; heat intolerance
tests: morning cortisol => a low concentration => {1.4:3.2} mcg/dL | corticotropin stimulation test => failure of cortisol to rise above about 18 mcg/dL => peak cortisol {4.2:9.6} mcg/dL | serum electrolytes => low sodium with high potassium => sodium {124:131} mmol/L, potassium {5.2:5.9} mmol/L
ddx: secondary adrenal insufficiency; chronic infection; anorexia nervosa; occult malignancy
tx1: hydrocortisone in divided doses; fludrocortisone; education about sick-day rules
tx2: an emergency injection kit; higher doses during surgery or serious illness
rx: hydrocortisone = 10 mg by mouth on waking, 5 mg at noon and 5 mg in the late afternoon | fludrocortisone = 0.1 mg by mouth once daily
comp: adrenal crisis; hypoglycemia; hyperkalemia
prog: life expectancy is close to normal with good replacement and education | adrenal crisis remains a preventable cause of death
fu: clinic visit in 4 weeks; electrolytes in 2 weeks; yearly screening for other autoimmune disease
teach: double the hydrocortisone dose during fever; wear a medical alert bracelet; never stop the tablets suddenly
warn: vomiting that prevents taking tablets; collapse; severe abdominal pain

# primary hyperparathyroidism
field: endocrinology
age: 46-80
onset: 6 months; 1 year; 18 months
def: autonomous overproduction of parathyroid hormone that raises the serum calcium concentration
mech: a single benign adenoma is responsible in about 85% of cases | excess hormone increases bone resorption and renal calcium reabsorption | increased calcium delivery to the urine predisposes to stones
epi: most cases are detected by routine blood tests before symptoms appear
risk: female sex after menopause; previous neck irradiation; lithium therapy; inherited endocrine neoplasia syndromes
sx: fatigue; aching bones; constipation; increased thirst; low mood
signs: an unremarkable neck examination; mild proximal weakness; loss of height
neg: weight loss; fever; hemoptysis
tests: serum calcium => an elevated concentration => {10.8:11.8} mg/dL | parathyroid hormone => an elevated or inappropriately normal concentration => {88:156} pg/mL | dual-energy X-ray absorptiometry => reduced bone density, especially at the distal radius => a T-score of -{1.8:2.9} at the distal radius
ddx: familial hypocalciuric hypercalcemia; hypercalcemia of malignancy; thiazide use; vitamin D excess
tx1: parathyroidectomy for symptomatic patients or those who meet guideline criteria; adequate hydration; vitamin D repletion
tx2: cinacalcet when surgery is not possible; alendronate to protect bone; active surveillance of mild disease
rx: alendronate = 70 mg by mouth once weekly
comp: nephrolithiasis; osteoporosis; declining kidney function; fragility fracture
prog: experienced surgeons cure more than 95% of patients | bone density improves in the years after surgery
fu: calcium and creatinine every 6 months; bone density every 2 years; surgical referral
teach: drink two liters of water a day; avoid thiazide diuretics; keep a normal calcium intake
warn: confusion; flank pain; persistent vomiting

# postmenopausal osteoporosis
short: osteoporosis
field: endocrinology
sex: female
age: 56-86
onset: 3 weeks; 2 months; 1 year
def: a skeletal disorder with low bone mass and deteriorated microarchitecture that raises the risk of fracture
mech: estrogen deficiency accelerates bone resorption beyond the capacity for formation | trabecular bone is lost first, which explains early vertebral fractures | peak bone mass reached in early adulthood is a major determinant of later risk
epi: about one woman in three over the age of 50 will have a fragility fracture
risk: early menopause; long-term glucocorticoid use; low body weight; cigarette smoking; a parent with a hip fracture; low vitamin D
sx: loss of height; midback pain after minor strain; a stooped posture; no symptoms before a fracture
signs: increased thoracic kyphosis; tenderness over a midthoracic vertebra; height 4 cm below the remembered adult height
neg: leg weakness; fever; weight loss
tests: dual-energy X-ray absorptiometry => a T-score of -2.5 or lower => a T-score of -{2.6:3.6} at the lumbar spine | spine radiography => vertebral compression deformities => a wedge deformity of the eighth thoracic vertebra | serum 25-hydroxyvitamin D => a value that is often low => {14:26} ng/mL
ddx: multiple myeloma; metastatic bone disease; osteomalacia; primary hyperparathyroidism
tx1: alendronate or another oral bisphosphonate; adequate calcium and vitamin D; weight-bearing exercise; fall prevention
tx2: denosumab when bisphosphonates are unsuitable; anabolic therapy such as teriparatide for very high risk
rx: alendronate = 70 mg by mouth once weekly | cholecalciferol = 1,000 units by mouth once daily
comp: hip fracture; vertebral fracture; chronic back pain; loss of independence
prog: treatment lowers the risk of vertebral fracture by about half | the need for continued bisphosphonate should be reviewed after about five years
fu: bone density in 2 years; dental check before long-term treatment; vitamin D level in 3 months
teach: take the weekly tablet with plain water and stay upright for 30 minutes; remove loose rugs at home; do balance exercises daily
warn: new severe back pain; thigh or groin pain; jaw pain
img: Radiograph of the thoracic spine => There is anterior wedging of the eighth thoracic vertebral body with about 30% loss of height; The bones are diffusely demineralized; Alignment is preserved and no retropulsed fragment is seen => Osteoporotic wedge compression fracture of the eighth thoracic vertebra

# chronic kidney disease
field: nephrology
age: 46-84
vitals: hypertensive
onset: 4 months; 8 months; 1 year
def: abnormal kidney structure or function that has been present for more than three months
mech: loss of nephrons increases filtration in those that remain, which promotes further scarring | reduced erythropoietin production leads to anemia | phosphate retention and low active vitamin D stimulate parathyroid hormone
epi: diabetes and hypertension together account for most cases worldwide
risk: diabetes mellitus; hypertension; older age; a family history of kidney disease; long-term anti-inflammatory drug use
sx: fatigue; waking at night to urinate; ankle swelling; itching; poor appetite
signs: pallor; mild ankle edema; dry scratch-marked skin
neg: visible blood in the urine; flank pain; fever
tests: estimated glomerular filtration rate => a value below 60 mL/min/1.73 m2 for three months => {24:48} mL/min/1.73 m2 | urine albumin-to-creatinine ratio => 30 mg/g or more => {180:760} mg/g | renal ultrasonography => small echogenic kidneys => bilaterally small echogenic kidneys without obstruction | hemoglobin => a low value as function declines => {9.6:11.4} g/dL
ddx: acute kidney injury; obstructive uropathy; renal artery stenosis; multiple myeloma
tx1: blood pressure control with losartan or lisinopril; a sodium-glucose cotransporter-2 inhibitor such as empagliflozin; atorvastatin; avoidance of nephrotoxic drugs
tx2: treatment of anemia, acidosis and phosphate retention; dialysis or transplantation when function fails
rx: losartan = 50 mg by mouth once daily | empagliflozin = 10 mg by mouth once daily | atorvastatin = 20 mg by mouth at bedtime
comp: hyperkalemia; anemia; mineral and bone disorder; cardiovascular disease; end-stage kidney disease
prog: the degree of albuminuria predicts progression | most patients die of cardiovascular disease rather than of kidney failure
fu: creatinine and potassium in 2 weeks; nephrology visit in 3 months; hepatitis B vaccination
teach: avoid ibuprofen and similar pain relievers; keep salt intake low; pause some tablets on days of vomiting or diarrhea as instructed
warn: marked fall in urine output; breathlessness; muscle weakness

# nephrolithiasis
field: urology
age: 24-64
vitals: tachycardic
onset: 3 hours; 6 hours; 12 hours
def: the formation of stones in the urinary tract
mech: urine that is supersaturated with calcium, oxalate or uric acid forms crystals | a stone that enters the ureter obstructs flow, and the rise in pressure causes colic | low urine volume is the most common correctable factor
epi: about one person in ten will have a stone at some time in life
risk: low fluid intake; a previous stone; high salt intake; hot climate; gout; primary hyperparathyroidism
sx: severe colicky flank pain; radiation of the pain to the groin; nausea and vomiting; blood-tinged urine; restlessness
signs: costovertebral angle tenderness; inability to lie still; a soft abdomen
neg: fever; diarrhea; chest pain
tests: noncontrast computed tomography => a radiodense stone with ureteral dilation => a {4:6} mm stone in the distal left ureter with mild hydronephrosis | urinalysis => microscopic hematuria => many red cells, no nitrites | serum creatinine => a value that is usually normal => {0.8:1.2} mg/dL
ddx: acute pyelonephritis; abdominal aortic aneurysm; acute appendicitis; biliary colic
tx1: ibuprofen or another anti-inflammatory drug for pain; ondansetron for nausea; tamsulosin for distal ureteral stones; oral fluids
tx2: ureteroscopy; shock wave lithotripsy; urgent decompression when infection accompanies obstruction
rx: ibuprofen = 600 mg by mouth every 6 hours with food | tamsulosin = 0.4 mg by mouth once daily | ondansetron = 4 mg by mouth every 8 hours as needed
comp: obstructive infection; hydronephrosis; kidney injury; recurrence
prog: most stones of 5 mm or less pass without intervention | about half of patients have another stone within ten years without prevention
fu: urology visit in 2 weeks; stone analysis; 24-hour urine collection after recurrence
teach: drink enough to pass at least two and a half liters of urine a day; strain the urine and keep the stone; eat less salt
warn: fever or chills; uncontrolled pain; inability to pass urine
img: Noncontrast CT of the abdomen and pelvis => A 5 mm calcific stone is present in the distal left ureter; There is mild left hydronephrosis with perinephric stranding; The right kidney and the appendix are normal => Obstructing distal left ureteral stone with mild hydronephrosis

# acute uncomplicated cystitis
short: cystitis
field: primary care
sex: female
age: 18-46
onset: 1 day; 2 days; 3 days
def: a bacterial infection confined to the bladder in a patient with a normal urinary tract
mech: bowel bacteria colonize the area around the urethra and ascend to the bladder | Escherichia coli binds to bladder cells by means of fimbriae | the short female urethra makes ascent easier
epi: about half of all women have at least one episode in their lifetime
risk: recent sexual intercourse; spermicide use; a previous urinary infection; a new sexual partner
sx: burning on urination; urgency; frequent small voids; suprapubic discomfort; cloudy urine
signs: mild suprapubic tenderness; no costovertebral angle tenderness
neg: fever; flank pain; vaginal discharge
tests: urinalysis => pyuria, often with nitrites => positive leukocyte esterase and nitrites | urine culture => growth of a uropathogen => Escherichia coli, more than 100,000 colonies per mL
ddx: vaginitis; urethritis; interstitial cystitis; acute pyelonephritis
tx1: nitrofurantoin for five days; increased fluids for comfort
tx2: fosfomycin in a single dose; trimethoprim-sulfamethoxazole where resistance is low; cephalexin as an alternative
rx: nitrofurantoin = 100 mg by mouth twice daily for 5 days
comp: acute pyelonephritis; recurrent infection
prog: symptoms usually settle within two or three days of treatment | recurrent infection can be reduced by behavioral and preventive measures
fu: no routine visit when symptoms resolve; urine culture if symptoms persist after 3 days
teach: finish the full course; drink to thirst; urinate after intercourse
warn: fever; back pain; vomiting

# acute pyelonephritis
field: infectious diseases
sex: female
age: 20-62
vitals: febrile tachycardic
onset: 1 day; 2 days; 3 days
def: a bacterial infection of the renal pelvis and parenchyma
mech: bacteria ascend from the bladder through the ureter to the kidney | an intense neutrophilic reaction produces fever, pain and systemic symptoms | obstruction or reflux makes the infection more severe
epi: Escherichia coli causes most community-acquired cases
risk: recent cystitis; diabetes mellitus; pregnancy; urinary tract obstruction; vesicoureteral reflux
sx: fever with shaking chills; one-sided flank pain; nausea and vomiting; burning on urination; urinary frequency
signs: marked costovertebral angle tenderness; mild suprapubic tenderness; flushed skin
neg: cough; vaginal bleeding; diarrhea
tests: urinalysis => pyuria with white cell casts => white cell casts and positive nitrites | urine culture => growth of a uropathogen with its sensitivities => Escherichia coli sensitive to ceftriaxone | complete blood count => leukocytosis => white cell count {13.4:19.2} x 10^9/L
ddx: nephrolithiasis; acute appendicitis; pelvic inflammatory disease; lower lobe pneumonia
tx1: ciprofloxacin where local resistance is low; an initial dose of ceftriaxone; antipyretics and fluids
tx2: intravenous antibiotics in hospital for sepsis, vomiting or pregnancy; drainage of an obstructed system
rx: ceftriaxone = 1 g intravenously once daily | ciprofloxacin = 500 mg by mouth twice daily for 7 days | acetaminophen = 650 mg by mouth every 6 hours as needed | ondansetron = 4 mg every 8 hours as needed
comp: sepsis; renal abscess; acute kidney injury; preterm labor in pregnancy
prog: fever should settle within 72 hours of effective treatment | persistent fever calls for imaging to exclude obstruction or abscess
fu: clinic call in 48 hours; clinic visit in 1 week; imaging if fever persists beyond 3 days
teach: take every dose of the antibiotic; drink plenty of fluids; use acetaminophen for fever
warn: persistent vomiting; fever after three days of treatment; faintness
course: Intravenous ceftriaxone was given for two days, after which the fever resolved. | Urine culture grew sensitive Escherichia coli, and treatment was changed to oral ciprofloxacin. | Renal ultrasound showed no obstruction.
nurse: temperature is falling after acetaminophen; tolerating sips of fluid; flank pain is 3 out of 10; urine output is adequate

# benign prostatic hyperplasia
field: urology
sex: male
age: 54-82
onset: 6 months; 1 year; 2 years
def: nonmalignant enlargement of the prostate that may obstruct the flow of urine
mech: stromal and glandular cells multiply in the transition zone under the influence of dihydrotestosterone | obstruction has a static part due to bulk and a dynamic part due to smooth muscle tone | the bladder muscle thickens and becomes overactive in response
epi: about half of men in their fifties have histological changes, and the share rises with each decade
risk: older age; obesity; a family history of early prostate enlargement; metabolic syndrome
sx: weak urinary stream; hesitancy; waking several times at night to urinate; a sense of incomplete emptying; dribbling at the end of voiding
signs: a smooth symmetrically enlarged prostate; no palpable bladder
neg: visible blood in the urine; fever; weight loss
tests: International Prostate Symptom Score => a score of 8 or more when symptoms are at least moderate => a score of {12:22} | post-void residual volume => an increased volume in obstruction => {60:160} mL | prostate-specific antigen => a normal or mildly raised concentration => {1.2:3.4} ng/mL
ddx: prostate cancer; urethral stricture; overactive bladder; urinary tract infection
tx1: lifestyle measures; an alpha blocker such as tamsulosin
tx2: finasteride for larger glands; combination drug therapy; transurethral resection of the prostate
rx: tamsulosin = 0.4 mg by mouth once daily after the same meal | finasteride = 5 mg by mouth once daily
comp: acute urinary retention; bladder stones; recurrent urinary infection; obstructive kidney injury
prog: alpha blockers relieve symptoms within days, whereas finasteride takes about six months | a large prostate predicts progression
fu: clinic review in 6 weeks; repeat symptom score; yearly prostate-specific antigen after discussion
teach: limit fluids in the two hours before bed; avoid decongestants; rise slowly after starting tamsulosin
warn: inability to pass urine; blood in the urine; fever

# gout
field: rheumatology
sex: male
age: 36-78
onset: 12 hours; 1 day; 2 days
def: an inflammatory arthritis caused by deposition of monosodium urate crystals
mech: sustained hyperuricemia allows urate crystals to form in and around joints | crystals activate the inflammasome in macrophages, with release of interleukin-1 beta | reduced renal excretion of urate is the usual cause of hyperuricemia
epi: it is the most common inflammatory arthritis in adult men
risk: hyperuricemia; obesity; heavy beer or spirit intake; diuretic therapy; chronic kidney disease; a diet rich in red meat and seafood
sx: sudden severe pain in the great toe; swelling of the joint; redness; inability to bear a bedsheet on the foot; pain that woke the patient from sleep
signs: a red, hot, swollen first metatarsophalangeal joint; extreme tenderness to touch; a tophus on the ear
neg: injury; rash; urethral discharge
tests: synovial fluid analysis => negatively birefringent needle-shaped crystals => needle-shaped negatively birefringent crystals, Gram stain negative | serum urate => a value above 6.8 mg/dL, although it may be normal during an attack => {7.6:9.8} mg/dL
ddx: septic arthritis; calcium pyrophosphate deposition disease; cellulitis; reactive arthritis
tx1: colchicine in low dose; ibuprofen or another anti-inflammatory drug; prednisone when other drugs are unsuitable
tx2: allopurinol to lower urate in recurrent disease; colchicine prophylaxis during the first months of allopurinol; febuxostat as an alternative
rx: colchicine = 1.2 mg by mouth at once, then 0.6 mg one hour later | ibuprofen = 600 mg by mouth three times daily with food | allopurinol = 100 mg by mouth once daily
comp: chronic tophaceous arthritis; urate kidney stones; joint destruction
prog: untreated attacks settle in one to two weeks | keeping urate below 6 mg/dL prevents attacks and dissolves tophi
fu: serum urate every 4 weeks until below 6 mg/dL; clinic review in 2 weeks; kidney function check
teach: keep taking allopurinol during an attack; cut down on beer and spirits; rest and ice the joint
warn: fever; spread of redness; rash after starting allopurinol

# minimal change disease
field: pediatric nephrology
age: 3-8
informant: parent
onset: 5 days; 1 week; 10 days
def: the most common cause of nephrotic syndrome in children, with normal glomeruli on light microscopy
mech: injury to the podocytes allows albumin to leak into the urine | effacement of the podocyte foot processes is the only structural change on electron microscopy | low plasma oncotic pressure and sodium retention produce edema
epi: it causes the great majority of cases of nephrotic syndrome between the ages of two and eight years
risk: a recent upper respiratory infection; an atopic background; male sex in childhood
sx: puffy eyelids in the morning; swelling of the legs; foamy urine; a tight waistband; tiredness
signs: periorbital edema; pitting edema of the shins; shifting dullness of the abdomen
neg: visible blood in the urine; rash; joint pain
tests: urinalysis => heavy proteinuria without red cell casts => protein 4+, no red cell casts | serum albumin => a low concentration => {1.6:2.3} g/dL | total cholesterol => an elevated concentration => {310:420} mg/dL
ddx: focal segmental glomerulosclerosis; postinfectious glomerulonephritis; protein-losing enteropathy; allergic angioedema
tx1: prednisone for several weeks followed by a taper; salt restriction during edema
tx2: furosemide with albumin for severe edema; steroid-sparing drugs for frequent relapses
rx: prednisone = 2 mg/kg by mouth once daily, to a maximum of 60 mg
comp: peritonitis; venous thrombosis; relapse; steroid side effects
prog: more than 90% of children respond to steroids within four weeks | relapses are common but kidney function is usually preserved
fu: clinic visit in 1 week; home urine dipstick diary; review of vaccinations
teach: test the first morning urine each day; avoid salty snacks while swollen; call for fever because infection risk is higher
warn: fever; abdominal pain; reduced urine output
course: Prednisone was started on the first day, and diuresis began on the eighth day. | Weight fell by 2.4 kg as the edema resolved. | Urine protein was trace on the day of discharge.
nurse: weight is stable since yesterday; eyelid swelling is less this morning; no added salt diet is being followed; parents are learning the urine dipstick
"""
