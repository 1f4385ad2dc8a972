"""Drugs for pain, inflammation, nerves, mood and other fields (parsed by ``records.parse_drugs``)."""

TEXT = """
# ibuprofen
class: nonsteroidal anti-inflammatory drug
mech: reversibly inhibits cyclooxygenase-1 and cyclooxygenase-2
pk: its effect lasts about six hours
use: mild to moderate pain; fever; acute pericarditis; period pain
ae: heartburn; nausea; dizziness
serious: gastrointestinal bleeding; kidney injury; cardiovascular events
avoid: active peptic ulcer; advanced kidney disease; late pregnancy; heart failure
mon: blood pressure; kidney function in people at risk
inter: it increases bleeding risk with warfarin and reduces the effect of many blood pressure drugs
dose: adults take 200 to 400 mg every six to eight hours, and higher doses need supervision
teach: take it with food; use the lowest dose for the shortest time

# acetaminophen
class: analgesic and antipyretic
mech: acts mainly in the central nervous system by a mechanism that is not fully understood
pk: a small share is converted to a toxic metabolite that glutathione inactivates
use: mild to moderate pain; fever
ae: nausea in rare cases; rash in rare cases
serious: liver failure in overdose
avoid: severe liver disease; use of several products that contain it
mon: total daily dose; liver tests with prolonged high-dose use
inter: heavy alcohol use increases the risk of liver injury
dose: adults take 650 to 1,000 mg every six hours as needed, with a usual limit of 4 g per day
teach: check the labels of cold remedies for the same ingredient; measure the dose for children by weight

# morphine
class: opioid analgesic
mech: activates mu-opioid receptors in the brain and spinal cord
pk: active metabolites accumulate in kidney failure
use: severe acute pain; cancer pain; breathlessness in palliative care
ae: constipation; nausea; drowsiness; itching
serious: respiratory depression; dependence
avoid: respiratory depression; bowel obstruction; severe uncontrolled asthma
mon: sedation and respiratory rate; bowel function; pain score
inter: benzodiazepines and alcohol increase the risk of fatal sedation
dose: adults in severe pain often receive 2 to 5 mg intravenously, repeated according to response
teach: do not drive while drowsy; use a laxative as advised

# methotrexate
class: folate antagonist and immunomodulator
mech: inhibits dihydrofolate reductase and increases extracellular adenosine
pk: it is excreted by the kidneys
use: rheumatoid arthritis; psoriasis; Crohn disease; certain cancers at higher doses
ae: nausea; mouth ulcers; fatigue
serious: bone marrow suppression; liver injury; pneumonitis; birth defects
avoid: pregnancy; significant liver disease; severe kidney impairment
mon: blood count; liver tests; creatinine
inter: trimethoprim-sulfamethoxazole may cause severe marrow suppression
dose: low-dose treatment is 7.5 to 25 mg once a week
teach: take it once a week and never daily; avoid pregnancy and limit alcohol

# hydroxychloroquine
class: antimalarial and immunomodulator
mech: raises the pH of endosomes and dampens toll-like receptor signaling
pk: its half-life exceeds one month
use: systemic lupus erythematosus; rheumatoid arthritis; malaria prevention in areas without resistance
ae: nausea; rash; headache
serious: retinal toxicity; prolonged QT interval; muscle weakness
avoid: preexisting retinal disease of the macula
mon: yearly eye examination after five years or earlier in people at risk
inter: other drugs that prolong the QT interval add to the risk
dose: the dose should not exceed about 5 mg/kg of real body weight per day
teach: attend eye checks; take it with food

# sumatriptan
class: serotonin 5-HT1B/1D receptor agonist
mech: constricts dilated cranial vessels and inhibits the release of neuropeptides
pk: tablets act within an hour, while injection acts within minutes
use: acute migraine; cluster headache by injection
ae: tingling; tightness of the chest or throat; drowsiness
serious: coronary vasospasm; serotonin syndrome
avoid: coronary artery disease; uncontrolled hypertension; previous stroke
mon: number of days of use per month; blood pressure
inter: it must not be combined with ergot drugs within 24 hours
dose: adults take 50 to 100 mg at onset and may repeat once after two hours
teach: take it early in the attack; use it on no more than nine days a month

# topiramate
class: antiseizure drug
mech: blocks sodium channels, enhances GABA activity and inhibits carbonic anhydrase
pk: it is mostly excreted unchanged in the urine
use: epilepsy; migraine prevention
ae: tingling of the fingers; weight loss; slowed thinking
serious: kidney stones; acute angle-closure glaucoma; metabolic acidosis
avoid: pregnancy when alternatives exist; a history of kidney stones
mon: bicarbonate; weight; mood
inter: higher doses reduce the effect of oral contraceptives
dose: migraine prevention begins with 25 mg at night and rises weekly to about 100 mg per day
teach: drink plenty of water; report eye pain at once

# propranolol
class: nonselective beta blocker
mech: blocks beta-1 and beta-2 adrenergic receptors
pk: it is lipid soluble and undergoes extensive first-pass metabolism
use: migraine prevention; tremor; symptoms of hyperthyroidism; prevention of variceal bleeding
ae: fatigue; cold hands; vivid dreams; slow pulse
serious: bronchospasm; heart block
avoid: asthma; marked bradycardia; decompensated heart failure
mon: heart rate; blood pressure
inter: verapamil increases the risk of heart block
dose: migraine prevention usually starts with 40 mg twice daily
teach: do not stop it suddenly; avoid it if asthma develops

# levetiracetam
class: antiseizure drug
mech: binds the synaptic vesicle protein SV2A and modulates neurotransmitter release
pk: it has few interactions and is cleared mainly by the kidneys
use: focal seizures; generalized tonic-clonic seizures; myoclonic seizures
ae: drowsiness; irritability; dizziness
serious: depression with suicidal thoughts; severe skin reactions
avoid: sudden withdrawal
mon: mood; seizure frequency; kidney function
inter: it rarely alters the concentration of other drugs
dose: adults usually start with 500 mg twice daily
teach: report mood change; do not miss doses

# lamotrigine
class: antiseizure drug and mood stabilizer
mech: stabilizes neuronal membranes by blocking voltage-gated sodium channels
pk: it is cleared by glucuronidation in the liver
use: focal seizures; generalized seizures; maintenance in bipolar disorder
ae: headache; dizziness; double vision
serious: Stevens-Johnson syndrome; aseptic meningitis
avoid: rapid dose increases; restarting at full dose after several missed days
mon: rash during the first eight weeks; seizure frequency
inter: valproate doubles its concentration, and estrogen-containing contraceptives lower it
dose: adults start with 25 mg daily and increase every two weeks
teach: report any rash at once; follow the starting schedule exactly

# carbidopa-levodopa
class: dopamine precursor combined with a decarboxylase inhibitor
mech: levodopa is converted to dopamine in the brain, and carbidopa limits conversion outside it
pk: protein-rich meals may reduce absorption
use: Parkinson disease
ae: nausea; dizziness; vivid dreams
serious: dyskinesia; hallucinations; a withdrawal state similar to neuroleptic malignant syndrome
avoid: nonselective monoamine oxidase inhibitors; narrow-angle glaucoma
mon: motor response; blood pressure on standing; mental state
inter: metoclopramide and most antipsychotic drugs oppose its effect
dose: a common starting dose is one 25/100 mg tablet three times daily
teach: take it at fixed times; do not stop it suddenly

# donepezil
class: acetylcholinesterase inhibitor
mech: increases acetylcholine at central synapses
pk: its half-life is about 70 hours
use: Alzheimer disease
ae: nausea; diarrhea; vivid dreams; muscle cramps
serious: bradycardia with syncope; gastrointestinal bleeding
avoid: significant conduction disease without a pacemaker; allergy to piperidine derivatives
mon: heart rate; weight; cognition
inter: anticholinergic drugs oppose its effect
dose: treatment starts with 5 mg at bedtime and may rise to 10 mg after four to six weeks
teach: take it in the morning if dreams are troublesome; report fainting

# sertraline
class: selective serotonin reuptake inhibitor
mech: blocks the neuronal reuptake of serotonin
pk: its half-life is about one day
use: major depressive disorder; panic disorder; obsessive-compulsive disorder; post-traumatic stress
  disorder
ae: nausea; diarrhea; sexual dysfunction; sleep change
serious: serotonin syndrome; low sodium; suicidal thoughts in young people
avoid: use with monoamine oxidase inhibitors; use with pimozide
mon: mood in the first weeks; sodium in older adults
inter: ibuprofen and aspirin add to the risk of bleeding
dose: adults usually start with 50 mg once daily
teach: expect benefit after two to four weeks; reduce it gradually when stopping

# escitalopram
class: selective serotonin reuptake inhibitor
mech: selectively inhibits the serotonin transporter
pk: its half-life of about 30 hours allows once-daily dosing
use: generalized anxiety disorder; major depressive disorder
ae: nausea; headache; sexual dysfunction; sweating
serious: prolonged QT interval; serotonin syndrome; low sodium
avoid: use with monoamine oxidase inhibitors; known long QT syndrome
mon: mood in the first weeks; sodium and electrocardiogram in people at risk
inter: linezolid and tramadol increase the risk of serotonin syndrome
dose: the usual dose is 10 mg once daily, with a maximum of 20 mg
teach: take it every day; do not stop it abruptly

# buspirone
class: azapirone anxiolytic
mech: acts as a partial agonist at serotonin 5-HT1A receptors
pk: food increases its bioavailability
use: generalized anxiety disorder
ae: dizziness; nausea; headache
serious: serotonin syndrome in combination with other serotonergic drugs
avoid: use with monoamine oxidase inhibitors
mon: anxiety symptoms; response after several weeks
inter: grapefruit juice raises its concentration
dose: treatment starts with 7.5 mg twice daily and is raised every few days
teach: take it regularly rather than as needed; expect benefit after two to four weeks

# tamsulosin
class: alpha-1A selective adrenergic blocker
mech: relaxes smooth muscle in the prostate and bladder neck
pk: taking it after the same meal each day gives steady concentrations
use: benign prostatic hyperplasia; passage of distal ureteral stones
ae: dizziness; abnormal ejaculation; stuffy nose
serious: fainting on standing; floppy iris during cataract surgery
avoid: known severe postural hypotension
mon: symptom score; blood pressure on standing
inter: phosphodiesterase-5 inhibitors add to the fall in blood pressure
dose: the usual dose is 0.4 mg once daily
teach: rise slowly; tell the eye surgeon about it

# finasteride
class: 5-alpha reductase inhibitor
mech: blocks the conversion of testosterone to dihydrotestosterone
pk: prostate volume falls by about one fifth over six to twelve months
use: benign prostatic hyperplasia; male pattern hair loss at a lower dose
ae: reduced libido; erectile dysfunction; breast tenderness
serious: depression; missed cancer if the fall in prostate-specific antigen is not considered
avoid: handling of broken tablets by pregnant women
mon: symptom score; prostate-specific antigen, which falls by about half
inter: clinically important drug interactions are not known
dose: the dose for prostatic enlargement is 5 mg once daily
teach: allow six months for benefit; report breast lumps

# latanoprost
class: prostaglandin analog eye drop
mech: lowers intraocular pressure by increasing uveoscleral outflow
pk: the pressure-lowering effect lasts for a full day
use: open-angle glaucoma; ocular hypertension
ae: redness of the eye; longer eyelashes; darkening of the iris
serious: macular edema in eyes at risk
avoid: active uveitis
mon: intraocular pressure; visual field
inter: other drops should be given at least five minutes apart
dose: one drop is placed in the affected eye each evening
teach: remove contact lenses before the drop; use one drop only

# alteplase
class: tissue plasminogen activator
mech: converts plasminogen to plasmin and dissolves fibrin clots
pk: its plasma half-life is about five minutes
use: acute ischemic stroke within 4.5 hours; massive pulmonary embolism; occluded central venous catheter
ae: bleeding at puncture sites; nausea; fever
serious: intracranial hemorrhage; angioedema of the tongue
avoid: active bleeding; previous intracranial hemorrhage; recent major surgery; severe uncontrolled
  hypertension
mon: neurological state; blood pressure; bleeding
inter: recent anticoagulant use increases the risk of bleeding
dose: the stroke dose is 0.9 mg/kg, to a maximum of 90 mg, with 10% given as a bolus
teach: report headache during the infusion; remain in bed as instructed

# letrozole
class: aromatase inhibitor
mech: blocks the conversion of androgens to estrogens
pk: its half-life is about two days
use: hormone-sensitive breast cancer after menopause; ovulation induction in polycystic ovary syndrome
ae: hot flashes; joint pain; fatigue
serious: osteoporosis; fracture
avoid: pregnancy; use as sole endocrine treatment of breast cancer before menopause
mon: bone density; lipid profile
inter: estrogen-containing products oppose its effect
dose: the breast cancer dose is 2.5 mg once daily
teach: exercise to ease joint stiffness; take enough calcium and vitamin D

# labetalol
class: combined alpha and beta adrenergic blocker
mech: lowers blood pressure by blocking alpha-1, beta-1 and beta-2 receptors
pk: it may be given by mouth or by vein
use: hypertension in pregnancy; hypertensive emergency
ae: dizziness; scalp tingling; fatigue
serious: bronchospasm; heart block; liver injury
avoid: asthma; heart block; decompensated heart failure
mon: blood pressure; heart rate; liver tests when symptoms occur
inter: other drugs that slow the heart add to its effect
dose: the usual oral starting dose is 100 to 200 mg twice daily
teach: rise slowly; do not stop it suddenly
"""
