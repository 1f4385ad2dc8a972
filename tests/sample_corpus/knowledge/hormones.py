"""Conditions of hormones and bone (parsed by ``records.parse_conditions``)."""

TEXT = """
# type 2 diabetes mellitus
short: type 2 diabetes
field: endocrinology
age: 38-78
onset: 2 months; 4 months; 6 months
def: a chronic disorder of glucose metabolism in which insulin resistance is combined with a progressive
  loss of insulin secretion
mech: resistance to insulin in muscle and liver forces the beta cells to secrete more hormone | beta-cell
  function declines over years until compensation fails | excess hepatic glucose output raises the fasting
  glucose concentration
epi: it accounts for more than 90% of all diabetes in adults
risk: obesity; physical inactivity; a first-degree relative with diabetes; previous gestational diabetes;
  older age; polycystic ovary syndrome
sx: increased thirst; frequent urination; fatigue; blurred vision; slow healing of minor wounds
signs: central obesity; velvety darkening of the skin of the neck; reduced vibration sense in the toes
neg: weight loss; abdominal pain; vomiting
tests: hemoglobin A1c => a value of 6.5% or higher => {7.4:10.2}% | fasting plasma glucose => a
  concentration of 126 mg/dL or higher => {148:236} mg/dL | urine albumin-to-creatinine ratio => 30 mg/g or
  more when the kidneys are affected => {12:64} mg/g
ddx: type 1 diabetes; steroid-induced hyperglycemia; pancreatic disease
tx1: structured lifestyle change; metformin; an agent with cardiovascular or kidney benefit such as
  empagliflozin or semaglutide when indicated
tx2: glipizide when cost limits other choices; insulin glargine when targets are not met
rx: metformin = 500 mg by mouth twice daily with meals | empagliflozin = 10 mg by mouth once daily
comp: retinopathy; diabetic kidney disease; peripheral neuropathy; coronary artery disease; foot ulceration
prog: good glucose control lowers the risk of microvascular disease | blood pressure and lipid treatment add
  to the benefit of glucose control
fu: hemoglobin A1c in 3 months; yearly dilated eye examination; yearly urine albumin and foot examination
teach: check both feet every evening; spread carbohydrate evenly over the day; aim for 150 minutes of
  walking a week
warn: vomiting with inability to drink; a foot wound that does not heal; sudden visual change

# type 1 diabetes mellitus
short: type 1 diabetes
field: endocrinology
age: 9-30
onset: 10 days; 2 weeks; 3 weeks
def: a disorder of glucose metabolism caused by autoimmune destruction of the insulin-producing beta cells
mech: autoreactive T cells destroy the beta cells of the pancreatic islets | absolute insulin deficiency
  leads to hyperglycemia, lipolysis and ketone production | islet autoantibodies often appear years before
  symptoms
epi: onset is most common in childhood and adolescence but may occur at any age
risk: a first-degree relative with the disease; certain HLA types; another autoimmune disease such as celiac
  disease
sx: increased thirst; frequent urination; weight loss despite a good appetite; tiredness; new bed-wetting or
  waking at night to urinate
signs: dry mucous membranes; a thin body habitus; mild tachycardia
neg: abdominal pain; vomiting; fever
tests: random plasma glucose => a concentration of 200 mg/dL or higher with symptoms => {286:412} mg/dL |
  islet autoantibody testing => antibodies such as those against glutamic acid decarboxylase => positive for
  glutamic acid decarboxylase antibody | C-peptide => a low concentration => {0.2:0.5} ng/mL
ddx: type 2 diabetes; monogenic diabetes; diabetes insipidus
tx1: basal and mealtime insulin; insulin glargine as the basal component; structured education with
  carbohydrate counting
tx2: insulin pump therapy; hybrid closed-loop systems; continuous glucose monitoring
rx: insulin glargine = 10 units under the skin at bedtime | insulin lispro = 3 units under the skin before
  each meal
comp: diabetic ketoacidosis; severe hypoglycemia; retinopathy; diabetic kidney disease
prog: lifelong insulin is required | intensive control early in the disease has benefits that persist for
  decades
fu: diabetes educator visit within 3 days; hemoglobin A1c every 3 months; thyroid and celiac screening
teach: never omit the basal insulin; carry glucose tablets; test for ketones when unwell
warn: vomiting; glucose above 300 mg/dL with ketones; severe low glucose

# diabetic ketoacidosis
field: endocrinology
age: 16-58
vitals: tachycardic tachypneic dry
onset: 1 day; 2 days
def: a metabolic emergency defined by hyperglycemia, ketonemia and metabolic acidosis
mech: insulin deficiency and excess counter-regulatory hormones drive lipolysis and hepatic ketone
  production | hyperglycemia causes osmotic diuresis with loss of water, sodium and potassium | total body
  potassium is low even when the serum level is normal or high
epi: infection and missed insulin are the most common triggers
risk: omission of insulin; acute infection; newly presenting type 1 diabetes; pump failure; use of a
  sodium-glucose cotransporter-2 inhibitor
sx: nausea and vomiting; diffuse abdominal pain; intense thirst; frequent urination; weakness
signs: deep rapid breathing; a fruity odor on the breath; dry mucous membranes; poor skin turgor
neg: diarrhea; chest pain; headache
tests: serum glucose => a concentration usually above 250 mg/dL => {388:610} mg/dL | venous blood gas => a
  low pH with a low bicarbonate => pH {7.08:7.22}, bicarbonate {7:13} mmol/L | serum beta-hydroxybutyrate =>
  a concentration of 3 mmol/L or more => {4.2:7.6} mmol/L | serum potassium => a normal or high value
  despite total body depletion => {4.6:5.6} mmol/L
ddx: hyperosmolar hyperglycemic state; alcoholic ketoacidosis; lactic acidosis; acute pancreatitis
tx1: intravenous crystalloid; continuous intravenous insulin; potassium replacement; treatment of the
  trigger
tx2: addition of dextrose once glucose falls below about 250 mg/dL; overlap with long-acting insulin
  glargine before the infusion is stopped
rx: insulin glargine = 18 units under the skin at bedtime | insulin lispro = 5 units under the skin before
  each meal
acute: none
comp: hypokalemia; hypoglycemia; cerebral edema, mainly in children; venous thrombosis
prog: mortality is below 1% in most adult centers | recurrence usually reflects interrupted insulin
fu: diabetes clinic within 1 week; basic metabolic panel in 3 days; review of sick-day rules
teach: keep taking basal insulin even when not eating; check ketones when glucose is above 250 mg/dL; call
  early when vomiting
warn: repeated vomiting; drowsiness; rapid breathing
course: The anion gap closed after about 14 hours of insulin infusion and fluids. | Potassium was replaced
  to keep the level above 4 mmol/L. | Basal insulin was given two hours before the infusion was stopped.
nurse: hourly glucose checks are falling steadily; insulin infusion is running through a dedicated line;
  urine output is adequate; alert and asking for water

# primary hypothyroidism
short: hypothyroidism
field: endocrinology
age: 26-74
vitals: slow
onset: 3 months; 6 months; 9 months
def: a deficiency of thyroid hormone due to disease of the thyroid gland itself
mech: autoimmune thyroiditis gradually destroys thyroid follicles | falling thyroid hormone removes negative
  feedback, so that thyroid-stimulating hormone rises | low thyroid hormone slows metabolism in almost every
  organ
epi: it is several times more common in women than in men
risk: female sex; a family history of thyroid disease; previous radioiodine or thyroid surgery; treatment
  with amiodarone or lithium; another autoimmune disease
sx: fatigue; weight gain; feeling cold; constipation; dry skin; slowed thinking
signs: coarse dry skin; slow relaxation of the ankle reflexes; periorbital puffiness; a firm small goiter
neg: palpitations; tremor; heat intolerance
tests: thyroid-stimulating hormone => an elevated concentration => {14:62} mIU/L | free thyroxine => a low
  concentration => {0.3:0.7} ng/dL | thyroid peroxidase antibody => a positive result in autoimmune disease
  => positive
ddx: depression; iron deficiency anemia; central hypothyroidism; obstructive sleep apnea
tx1: levothyroxine once daily; dose adjustment according to thyroid-stimulating hormone
tx2: a lower starting dose in older patients or those with coronary disease; a higher dose during pregnancy
rx: levothyroxine = 75 mcg by mouth once daily before breakfast
comp: hyperlipidemia; myxedema coma; infertility; pericardial effusion
prog: symptoms improve within weeks, and thyroid-stimulating hormone stabilizes after about six weeks on a
  constant dose | treatment is usually lifelong
fu: thyroid-stimulating hormone in 6 weeks; yearly thyroid-stimulating hormone once stable; early testing
  when pregnancy occurs
teach: take the tablet on an empty stomach with water; keep calcium and iron tablets four hours apart from
  it; do not change brand without a blood test
warn: chest pain; marked drowsiness; palpitations

# Graves disease
field: endocrinology
age: 22-56
vitals: fast
onset: 6 weeks; 2 months; 3 months
def: an autoimmune disorder in which antibodies stimulate the thyroid-stimulating hormone receptor and cause
  hyperthyroidism
mech: receptor-stimulating antibodies drive thyroid growth and hormone release independent of the pituitary
  | orbital fibroblasts share the receptor, which explains the associated eye disease | thyroid hormone
  excess increases sensitivity to catecholamines
epi: it is the most common cause of hyperthyroidism in areas with adequate iodine intake
risk: female sex; a family history of autoimmune thyroid disease; cigarette smoking; recent childbirth
sx: weight loss despite a good appetite; palpitations; heat intolerance; tremor; anxiety; frequent bowel
  movements
signs: a diffuse goiter with a bruit; lid lag; fine tremor of the outstretched hands; warm moist skin; mild
  proptosis
neg: neck pain; cold intolerance; constipation
tests: thyroid-stimulating hormone => a suppressed concentration => below 0.01 mIU/L | free thyroxine => an
  elevated concentration => {2.8:5.2} ng/dL | thyrotropin receptor antibody => a positive result => positive
ddx: toxic multinodular goiter; subacute thyroiditis; excess thyroid hormone intake; anxiety disorder
tx1: methimazole; propranolol for symptom relief
tx2: radioactive iodine; thyroidectomy; propylthiouracil in the first trimester of pregnancy
rx: methimazole = 20 mg by mouth once daily | propranolol = 20 mg by mouth three times daily
comp: atrial fibrillation; thyroid storm; osteoporosis; sight-threatening orbitopathy
prog: about half of patients relapse after a course of antithyroid drug | smoking worsens the eye disease
fu: free thyroxine in 4 weeks; eye examination; liver enzymes and blood count if symptoms suggest toxicity
teach: stop smoking; stop the tablets and seek a blood count for fever or sore throat; use lubricating eye
  drops
warn: fever with sore throat; double vision; racing heartbeat with confusion

# primary adrenal insufficiency
field: endocrinology
age: 24-58
vitals: hypotensive
onset: 6 weeks; 3 months; 4 months
def: failure of the adrenal cortex to make enough cortisol and aldosterone
mech: autoimmune destruction of the adrenal cortex is the usual cause in high-income countries | low
  cortisol removes feedback on the pituitary, and the resulting excess of corticotropin darkens the skin |
  lack of aldosterone causes sodium loss, potassium retention and low blood pressure
epi: it is rare, and diagnosis is often delayed because early symptoms are vague
risk: another autoimmune disease; tuberculosis; adrenal hemorrhage; bilateral adrenal metastases
sx: profound fatigue; weight loss; dizziness on standing; salt craving; nausea
signs: darkening of the palmar creases; postural fall in blood pressure; pigmentation of the gums
neg: fever; diarrhea with blood; heat intolerance
tests: morning cortisol => a low concentration => {1.4:3.2} mcg/dL | corticotropin stimulation test =>
  failure of cortisol to rise above about 18 mcg/dL => peak cortisol {4.2:9.6} mcg/dL | serum electrolytes
  => low sodium with high potassium => sodium {124:131} mmol/L, potassium {5.2:5.9} mmol/L
ddx: secondary adrenal insufficiency; chronic infection; anorexia nervosa; occult malignancy
tx1: hydrocortisone in divided doses; fludrocortisone; education about sick-day rules
tx2: an emergency injection kit; higher doses during surgery or serious illness
rx: hydrocortisone = 10 mg by mouth on waking, 5 mg at noon and 5 mg in the late afternoon | fludrocortisone
  = 0.1 mg by mouth once daily
comp: adrenal crisis; hypoglycemia; hyperkalemia
prog: life expectancy is close to normal with good replacement and education | adrenal crisis remains a
  preventable cause of death
fu: clinic visit in 4 weeks; electrolytes in 2 weeks; yearly screening for other autoimmune disease
teach: double the hydrocortisone dose during fever; wear a medical alert bracelet; never stop the tablets
  suddenly
warn: vomiting that prevents taking tablets; collapse; severe abdominal pain

# primary hyperparathyroidism
field: endocrinology
age: 46-80
onset: 6 months; 1 year; 18 months
def: autonomous overproduction of parathyroid hormone that raises the serum calcium concentration
mech: a single benign adenoma is responsible in about 85% of cases | excess hormone increases bone
  resorption and renal calcium reabsorption | increased calcium delivery to the urine predisposes to stones
epi: most cases are detected by routine blood tests before symptoms appear
risk: female sex after menopause; previous neck irradiation; lithium therapy; inherited endocrine neoplasia
  syndromes
sx: fatigue; aching bones; constipation; increased thirst; low mood
signs: an unremarkable neck examination; mild proximal weakness; loss of height
neg: weight loss; fever; hemoptysis
tests: serum calcium => an elevated concentration => {10.8:11.8} mg/dL | parathyroid hormone => an elevated
  or inappropriately normal concentration => {88:156} pg/mL | dual-energy X-ray absorptiometry => reduced
  bone density, especially at the distal radius => a T-score of -{1.8:2.9} at the distal radius
ddx: familial hypocalciuric hypercalcemia; hypercalcemia of malignancy; thiazide use; vitamin D excess
tx1: parathyroidectomy for symptomatic patients or those who meet guideline criteria; adequate hydration;
  vitamin D repletion
tx2: cinacalcet when surgery is not possible; alendronate to protect bone; active surveillance of mild
  disease
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
def: a skeletal disorder with low bone mass and deteriorated microarchitecture that raises the risk of
  fracture
mech: estrogen deficiency accelerates bone resorption beyond the capacity for formation | trabecular bone is
  lost first, which explains early vertebral fractures | peak bone mass reached in early adulthood is a
  major determinant of later risk
epi: about one woman in three over the age of 50 will have a fragility fracture
risk: early menopause; long-term glucocorticoid use; low body weight; cigarette smoking; a parent with a hip
  fracture; low vitamin D
sx: loss of height; midback pain after minor strain; a stooped posture; no symptoms before a fracture
signs: increased thoracic kyphosis; tenderness over a midthoracic vertebra; height 4 cm below the remembered
  adult height
neg: leg weakness; fever; weight loss
tests: dual-energy X-ray absorptiometry => a T-score of -2.5 or lower => a T-score of -{2.6:3.6} at the
  lumbar spine | spine radiography => vertebral compression deformities => a wedge deformity of the eighth
  thoracic vertebra | serum 25-hydroxyvitamin D => a value that is often low => {14:26} ng/mL
ddx: multiple myeloma; metastatic bone disease; osteomalacia; primary hyperparathyroidism
tx1: alendronate or another oral bisphosphonate; adequate calcium and vitamin D; weight-bearing exercise;
  fall prevention
tx2: denosumab when bisphosphonates are unsuitable; anabolic therapy such as teriparatide for very high risk
rx: alendronate = 70 mg by mouth once weekly | cholecalciferol = 1,000 units by mouth once daily
comp: hip fracture; vertebral fracture; chronic back pain; loss of independence
prog: treatment lowers the risk of vertebral fracture by about half | the need for continued bisphosphonate
  should be reviewed after about five years
fu: bone density in 2 years; dental check before long-term treatment; vitamin D level in 3 months
teach: take the weekly tablet with plain water and stay upright for 30 minutes; remove loose rugs at home;
  do balance exercises daily
warn: new severe back pain; thigh or groin pain; jaw pain
img: Radiograph of the thoracic spine => There is anterior wedging of the eighth thoracic vertebral body
  with about 30% loss of height; The bones are diffusely demineralized; Alignment is preserved and no
  retropulsed fragment is seen => Osteoporotic wedge compression fracture of the eighth thoracic vertebra
"""
