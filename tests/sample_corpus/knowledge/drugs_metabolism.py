"""Drugs for diabetes, hormones and bone (parsed by ``records.parse_drugs``)."""

TEXT = """
# metformin
class: biguanide glucose-lowering drug
mech: reduces glucose production by the liver and improves insulin sensitivity in peripheral tissues
pk: it is not metabolized and is excreted unchanged by the kidneys | the elimination half-life in plasma is
  about six hours
use: type 2 diabetes mellitus; prevention of diabetes in selected people at high risk; metabolic features of
  polycystic ovary syndrome
ae: nausea; diarrhea; a metallic taste; abdominal discomfort
serious: lactic acidosis; vitamin B12 deficiency with long use
avoid: an estimated glomerular filtration rate below 30 mL/min/1.73 m2; severe liver disease; acute hypoxia
  or shock
mon: kidney function at least once a year; vitamin B12 during long-term treatment; hemoglobin A1c every
  three to six months
inter: it is often withheld around the use of iodinated contrast in patients with poor kidney function
dose: adults usually start with 500 mg once or twice daily with meals, and the dose is raised slowly to
  about 2,000 mg per day
teach: take it with food; pause it during severe vomiting or dehydration

# empagliflozin
class: sodium-glucose cotransporter-2 inhibitor
mech: blocks glucose reabsorption in the proximal tubule, which increases urinary glucose and sodium
  excretion
pk: it is taken once daily, and its half-life is about twelve hours
use: type 2 diabetes mellitus; heart failure; chronic kidney disease
ae: genital yeast infection; increased urination; thirst
serious: diabetic ketoacidosis with normal or only mildly raised glucose; volume depletion; necrotizing
  infection of the perineum
avoid: type 1 diabetes; previous ketoacidosis; dialysis
mon: kidney function; volume status; ketones when the patient is unwell
inter: the dose of a loop diuretic may need to be lowered when it is added
dose: the usual dose is 10 mg once daily in the morning
teach: stop it several days before major surgery as instructed; keep the genital area clean and dry

# semaglutide
class: glucagon-like peptide-1 receptor agonist
mech: enhances glucose-dependent insulin secretion, slows gastric emptying and reduces appetite
pk: its half-life of about one week allows weekly injection
use: type 2 diabetes mellitus; long-term weight management; reduction of cardiovascular risk in selected
  patients
ae: nausea; vomiting; diarrhea; constipation
serious: pancreatitis; gallbladder disease; worsening of diabetic retinopathy
avoid: a personal or family history of medullary thyroid carcinoma; multiple endocrine neoplasia type 2;
  pregnancy
mon: weight; hemoglobin A1c; eye examination in patients with retinopathy
inter: the risk of hypoglycemia rises when it is combined with insulin or a sulfonylurea
dose: treatment starts with 0.25 mg under the skin once weekly and is increased every four weeks
teach: eat small meals and stop when full; rotate the injection site

# insulin glargine
class: long-acting basal insulin analog
mech: forms microprecipitates under the skin that release insulin slowly over about 24 hours
pk: it has no pronounced peak of action
use: type 1 diabetes mellitus; type 2 diabetes mellitus when other agents are not sufficient
ae: hypoglycemia; weight gain; soreness at the injection site
serious: severe hypoglycemia; hypokalemia
avoid: an episode of hypoglycemia; intravenous administration; mixing with other insulins in one syringe
mon: fasting glucose; hemoglobin A1c; body weight
inter: beta blockers may mask the early warning signs of low glucose
dose: a common starting dose in type 2 diabetes is 10 units once daily, adjusted according to fasting
  glucose
teach: inject at the same time every day; carry a source of fast sugar

# glipizide
class: sulfonylurea
mech: closes ATP-sensitive potassium channels of beta cells and so stimulates insulin release
pk: it is metabolized in the liver to inactive products
use: type 2 diabetes mellitus
ae: hypoglycemia; weight gain; mild stomach upset
serious: prolonged hypoglycemia, especially in older adults
avoid: type 1 diabetes; diabetic ketoacidosis; severe liver disease
mon: glucose at home; hemoglobin A1c; kidney function
inter: alcohol and some azole antifungal drugs increase the risk of hypoglycemia
dose: the usual starting dose is 5 mg once daily, 30 minutes before breakfast
teach: do not skip meals; recognize shaking and sweating as signs of low glucose

# levothyroxine
class: synthetic thyroid hormone
mech: replaces thyroxine, which tissues convert to the active hormone triiodothyronine
pk: its half-life is about seven days, so that a steady state takes about six weeks
use: hypothyroidism; suppression of thyroid-stimulating hormone in selected thyroid cancers
ae: palpitations when the dose is too high; tremor; poor sleep; sweating
serious: atrial fibrillation and bone loss with excessive dosing
avoid: untreated adrenal insufficiency; acute myocardial infarction; uncorrected thyrotoxicosis
mon: thyroid-stimulating hormone six weeks after each change in dose; heart rate in older patients
inter: calcium, iron and antacids reduce its absorption
dose: full replacement in healthy young adults is about 1.6 mcg/kg daily, while older patients often start
  with 25 to 50 mcg
teach: take it on an empty stomach with water; separate it from calcium and iron by four hours

# methimazole
class: thionamide antithyroid drug
mech: inhibits thyroid peroxidase and thus the synthesis of thyroid hormone
pk: its effect on the gland lasts longer than its plasma half-life, which permits once-daily dosing
use: Graves disease; toxic nodular goiter; preparation for thyroid surgery
ae: rash; itching; joint pain; altered taste
serious: agranulocytosis; liver injury; birth defects with exposure in the first trimester
avoid: the first trimester of pregnancy; previous agranulocytosis with a thionamide
mon: free thyroxine every four to six weeks at first; blood count when fever or sore throat occurs
inter: the effect of warfarin may change as thyroid function returns to normal
dose: the usual starting dose is 10 to 30 mg daily depending on severity
teach: seek a blood count at once for fever or sore throat; use reliable contraception

# prednisone
class: systemic glucocorticoid
mech: is converted in the liver to prednisolone, which alters gene transcription and dampens inflammation
pk: its biological effect lasts for 12 to 36 hours
use: asthma exacerbation; rheumatoid arthritis flare; inflammatory bowel disease flare; minimal change
  disease
ae: increased appetite; poor sleep; mood change; fluid retention; raised glucose
serious: adrenal suppression; osteoporosis; serious infection; cataract
avoid: untreated systemic fungal infection; live vaccines during high-dose treatment
mon: glucose; blood pressure; bone density with long-term use
inter: the risk of stomach ulcer rises when it is combined with ibuprofen or similar drugs
dose: short courses for asthma in adults commonly use 40 mg once daily for five days
teach: take it in the morning with food; do not stop suddenly after long use

# hydrocortisone
class: short-acting glucocorticoid identical to cortisol
mech: binds the glucocorticoid receptor and, at higher concentrations, the mineralocorticoid receptor
pk: its short plasma half-life makes two or three daily doses necessary
use: adrenal insufficiency; adrenal crisis; inflammatory skin disease as a cream
ae: skin thinning with prolonged topical use; weight gain; poor sleep after late doses
serious: adrenal crisis when replacement is stopped suddenly
avoid: untreated skin infection at the site of application
mon: weight; blood pressure; well-being and signs of excess replacement
inter: rifampin and some antiseizure drugs speed its breakdown
dose: replacement in adults is usually 15 to 25 mg per day in divided doses
teach: double the dose during fever; carry a steroid alert card

# alendronate
class: oral bisphosphonate
mech: binds to bone mineral and inhibits osteoclasts
pk: less than 1% of a dose is absorbed, and the part bound to bone is released over years
use: postmenopausal osteoporosis; osteoporosis due to glucocorticoids; Paget disease of bone
ae: heartburn; stomach discomfort; muscle or bone pain
serious: esophageal ulceration; osteonecrosis of the jaw; atypical femoral fracture
avoid: esophageal stricture; inability to sit upright for 30 minutes; low serum calcium; severe kidney
  impairment
mon: bone density; calcium and vitamin D; kidney function
inter: food, coffee and calcium supplements block its absorption
dose: the usual dose for osteoporosis is 70 mg once weekly
teach: swallow it with a full glass of plain water; stay upright and wait 30 minutes before eating
"""
