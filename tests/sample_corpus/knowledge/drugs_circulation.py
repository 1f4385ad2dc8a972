"""Drugs for heart, vessels, gout and blood (parsed by ``records.parse_drugs``)."""

TEXT = """
# lisinopril
class: angiotensin-converting enzyme inhibitor
mech: prevents the formation of angiotensin II and reduces the breakdown of bradykinin
pk: it is excreted unchanged in the urine and taken once daily
use: hypertension; heart failure; recovery after myocardial infarction; diabetic kidney disease
ae: dry cough; dizziness; headache
serious: angioedema; hyperkalemia; acute kidney injury in bilateral renal artery stenosis
avoid: pregnancy; previous angioedema; use together with sacubitril
mon: potassium and creatinine one to two weeks after starting; blood pressure
inter: potassium supplements and spironolactone increase the risk of hyperkalemia
dose: the usual starting dose for hypertension is 10 mg once daily, with a range up to 40 mg
teach: report swelling of the lips or tongue at once; avoid salt substitutes that contain potassium

# losartan
class: angiotensin II receptor blocker
mech: blocks the type 1 angiotensin II receptor
pk: an active metabolite is responsible for most of its long effect
use: hypertension; diabetic kidney disease; heart failure in patients who cannot take an
  angiotensin-converting enzyme inhibitor
ae: dizziness; fatigue; nasal congestion
serious: hyperkalemia; acute kidney injury; fetal injury
avoid: pregnancy; combination with an angiotensin-converting enzyme inhibitor
mon: potassium; creatinine; blood pressure
inter: anti-inflammatory pain relievers weaken its effect and may harm the kidney
dose: the usual dose is 50 mg once daily, with a maximum of 100 mg
teach: rise slowly from sitting; tell the clinic at once if pregnancy occurs

# amlodipine
class: dihydropyridine calcium channel blocker
mech: relaxes arterial smooth muscle by blocking L-type calcium channels
pk: its half-life of 30 to 50 hours gives a smooth effect over the day
use: hypertension; stable angina; vasospastic angina
ae: ankle swelling; flushing; headache
serious: marked hypotension in overdose
avoid: cardiogenic shock; severe symptomatic aortic stenosis without specialist advice
mon: blood pressure; ankle edema
inter: it raises the concentration of simvastatin, whose dose should be limited
dose: adults start with 5 mg once daily and may increase to 10 mg
teach: expect some ankle swelling in warm weather; take it at the same time each day

# metoprolol
class: beta-1 selective adrenergic blocker
mech: slows the heart rate and lowers contractility by blocking beta-1 receptors
pk: it is metabolized in the liver by CYP2D6
use: hypertension; angina; heart failure in the extended-release succinate form; rate control in atrial
  fibrillation
ae: fatigue; cold hands; slow pulse; vivid dreams
serious: heart block; bronchospasm; rebound angina when stopped suddenly
avoid: second or third degree heart block without a pacemaker; marked bradycardia; decompensated heart
  failure
mon: heart rate; blood pressure
inter: verapamil and diltiazem increase the risk of severe bradycardia
dose: the extended-release form is commonly started at 25 to 50 mg once daily
teach: do not stop it suddenly; check the pulse if feeling dizzy

# carvedilol
class: nonselective beta blocker with alpha-1 blocking activity
mech: lowers heart rate and also dilates blood vessels
pk: food slows its absorption and reduces dizziness on standing
use: heart failure with reduced ejection fraction; hypertension; portal hypertension in cirrhosis
ae: dizziness; fatigue; weight gain; slow pulse
serious: worsening heart failure when started too quickly; bronchospasm
avoid: asthma; decompensated heart failure; severe bradycardia
mon: heart rate; blood pressure; signs of fluid retention
inter: it can mask the symptoms of low glucose in people who use insulin
dose: the starting dose in heart failure is 3.125 mg twice daily, doubled every two weeks as tolerated
teach: take it with food; rise slowly from bed

# chlorthalidone
class: thiazide-like diuretic
mech: inhibits sodium and chloride reabsorption in the distal convoluted tubule
pk: its long half-life of 40 to 60 hours gives an effect that lasts beyond a day
use: hypertension; edema; prevention of calcium stones
ae: frequent urination; dizziness; raised uric acid
serious: low sodium; low potassium; gout attack
avoid: anuria; severe low sodium
mon: sodium; potassium; uric acid; glucose
inter: it reduces the excretion of lithium and may cause toxicity
dose: the usual dose for hypertension is 12.5 to 25 mg once daily
teach: take it in the morning; drink normally unless told otherwise

# furosemide
class: loop diuretic
mech: blocks the sodium-potassium-chloride transporter in the thick ascending limb of the loop of Henle
pk: an oral dose acts within an hour and lasts about six hours
use: edema due to heart failure; ascites in cirrhosis; fluid overload in kidney disease
ae: frequent urination; thirst; dizziness; muscle cramps
serious: low potassium; dehydration; hearing loss with rapid high-dose injection
avoid: anuria; severe volume depletion
mon: weight; potassium and magnesium; creatinine
inter: its combination with aminoglycosides adds to the risk of hearing damage
dose: a common oral dose in heart failure is 20 to 40 mg once or twice daily
teach: weigh yourself every morning; take the second dose before midafternoon

# spironolactone
class: mineralocorticoid receptor antagonist
mech: blocks the action of aldosterone in the collecting duct and so spares potassium
pk: active metabolites prolong its effect
use: heart failure with reduced ejection fraction; ascites in cirrhosis; resistant hypertension; primary
  aldosteronism
ae: breast tenderness; dizziness; menstrual irregularity
serious: hyperkalemia; worsening kidney function
avoid: high potassium; severe kidney impairment; Addison disease
mon: potassium and creatinine at one week, at four weeks and regularly thereafter
inter: the risk of hyperkalemia increases when it is combined with lisinopril or losartan
dose: the usual dose in heart failure is 25 mg once daily, whereas ascites often needs 100 mg
teach: avoid potassium supplements; pause it during severe diarrhea and call the clinic

# sacubitril-valsartan
class: angiotensin receptor-neprilysin inhibitor
mech: combines blockade of the angiotensin receptor with slower breakdown of natriuretic peptides
pk: sacubitril is converted to its active form by esterases
use: heart failure with reduced ejection fraction
ae: low blood pressure; cough; dizziness
serious: angioedema; hyperkalemia; kidney impairment
avoid: use within 36 hours of an angiotensin-converting enzyme inhibitor; previous angioedema; pregnancy
mon: blood pressure; potassium; creatinine
inter: the concentration of BNP may rise during treatment, so that NT-proBNP is the better marker
dose: adults often start with 24/26 mg or 49/51 mg twice daily
teach: do not combine it with lisinopril; report swelling of the face at once

# atorvastatin
class: HMG-CoA reductase inhibitor
mech: inhibits the rate-limiting step of cholesterol synthesis and increases the number of hepatic LDL
  receptors
pk: it is metabolized by CYP3A4 and may be taken at any time of day
use: high LDL cholesterol; secondary prevention after myocardial infarction or stroke; primary prevention in
  people at raised risk
ae: muscle aches; mild rise in liver enzymes; joint pain
serious: rhabdomyolysis; liver injury; a small increase in the risk of diabetes
avoid: active liver disease; pregnancy in most cases
mon: lipid profile 4 to 12 weeks after starting; liver enzymes before treatment; creatine kinase if muscle
  symptoms occur
inter: clarithromycin and large amounts of grapefruit juice raise its concentration
dose: high-intensity treatment uses 40 to 80 mg once daily
teach: report unexplained muscle pain or dark urine; keep following a healthy diet

# aspirin
class: antiplatelet drug
mech: irreversibly inhibits cyclooxygenase-1 and so blocks thromboxane formation for the life of the
  platelet
pk: platelet function recovers over about seven to ten days after the last dose
use: secondary prevention after myocardial infarction or ischemic stroke; acute coronary syndrome;
  prevention of preeclampsia in women at risk
ae: heartburn; bruising; nausea
serious: gastrointestinal bleeding; bronchospasm in sensitive patients; Reye syndrome in children with viral
  illness
avoid: active bleeding; aspirin-sensitive asthma; routine use in children
mon: signs of bleeding; hemoglobin when bleeding is suspected
inter: regular ibuprofen may interfere with its antiplatelet effect
dose: the usual preventive dose is 81 mg once daily
teach: report black stools; do not take it for pain in addition to the prescribed dose

# clopidogrel
class: P2Y12 receptor antagonist
mech: is activated in the liver and then irreversibly blocks the ADP receptor on platelets
pk: activation depends mainly on CYP2C19
use: prevention of thrombosis after coronary stenting; prevention after ischemic stroke; peripheral artery
  disease
ae: bruising; nosebleeds; diarrhea
serious: major bleeding; thrombotic thrombocytopenic purpura in rare cases
avoid: active pathological bleeding
mon: signs of bleeding; blood count when indicated
inter: omeprazole may reduce its activation
dose: the maintenance dose is 75 mg once daily
teach: do not stop it without advice after a stent; tell the dentist about it

# nitroglycerin
class: organic nitrate
mech: releases nitric oxide, which dilates veins and, to a lesser extent, coronary arteries
pk: a sublingual tablet acts within one to three minutes
use: acute angina; prevention of angina before exertion; acute pulmonary edema
ae: headache; flushing; lightheadedness
serious: severe hypotension
avoid: recent use of sildenafil or related drugs; severe anemia; raised intracranial pressure
mon: blood pressure; frequency of angina
inter: combination with phosphodiesterase-5 inhibitors can cause dangerous hypotension
dose: one 0.4 mg tablet is placed under the tongue at the onset of chest pain
teach: sit down before using it; keep the tablets in the original glass bottle

# apixaban
class: direct factor Xa inhibitor
mech: inhibits free and clot-bound factor Xa
pk: its half-life is about twelve hours, and roughly a quarter is cleared by the kidneys
use: stroke prevention in nonvalvular atrial fibrillation; treatment of deep vein thrombosis; treatment of
  pulmonary embolism
ae: bruising; nosebleeds; mild anemia
serious: major bleeding; spinal hematoma after neuraxial procedures
avoid: active bleeding; a mechanical heart valve; severe liver disease with coagulopathy
mon: kidney function and blood count at least once a year; bleeding
inter: strong inhibitors of both CYP3A4 and P-glycoprotein raise its concentration
dose: the usual dose in atrial fibrillation is 5 mg twice daily, reduced to 2.5 mg when dose-reduction
  criteria are met
teach: never run out of tablets; report unusual bleeding

# warfarin
class: vitamin K antagonist
mech: blocks the recycling of vitamin K and so reduces the activity of factors II, VII, IX and X
pk: the full effect takes five days or more because existing clotting factors must be cleared
use: mechanical heart valves; atrial fibrillation with moderate to severe mitral stenosis; venous
  thromboembolism
ae: bruising; nosebleeds; hair thinning
serious: major bleeding; skin necrosis; fetal harm
avoid: pregnancy in most cases; active bleeding; inability to attend monitoring
mon: international normalized ratio, with a usual target of 2.0 to 3.0
inter: many antibiotics, amiodarone and changes in dietary vitamin K alter its effect
dose: treatment often starts with about 5 mg once daily and is adjusted to the international normalized
  ratio
teach: keep the intake of green vegetables steady; ask before taking any new medicine

# enoxaparin
class: low-molecular-weight heparin
mech: enhances antithrombin and mainly inhibits factor Xa
pk: it is given under the skin and cleared by the kidneys
use: prevention of thrombosis in hospital; treatment of deep vein thrombosis; acute coronary syndrome
ae: bruising at the injection site; mild bleeding
serious: major bleeding; heparin-induced thrombocytopenia; spinal hematoma
avoid: active major bleeding; a history of heparin-induced thrombocytopenia
mon: platelet count; kidney function; hemoglobin
inter: other drugs that impair clotting increase the risk of bleeding
dose: the usual treatment dose is 1 mg/kg every 12 hours, reduced in severe kidney impairment
teach: rotate injection sites on the abdomen; do not rub the site afterwards

# amiodarone
class: class III antiarrhythmic drug
mech: prolongs repolarization and also blocks sodium channels, calcium channels and beta receptors
pk: it accumulates in fat and has a half-life of several weeks
use: ventricular arrhythmia; rhythm control in atrial fibrillation
ae: sensitivity to sunlight; nausea; corneal deposits; tremor
serious: lung fibrosis; thyroid dysfunction; liver injury; bradycardia
avoid: severe sinus node disease without a pacemaker; iodine allergy with serious reaction
mon: thyroid and liver tests every six months; chest radiograph; electrocardiogram
inter: it increases the effect of warfarin and digoxin
dose: after a loading phase, the usual maintenance dose is 100 to 200 mg once daily
teach: use sunscreen; report new cough or breathlessness

# digoxin
class: cardiac glycoside
mech: inhibits the sodium-potassium pump, strengthens contraction and slows conduction through the
  atrioventricular node
pk: it is excreted by the kidneys with a half-life of about 36 hours
use: rate control in atrial fibrillation; symptomatic heart failure that persists despite other therapy
ae: nausea; loss of appetite; yellow-tinted vision
serious: ventricular arrhythmia; heart block
avoid: ventricular fibrillation; significant heart block without a pacemaker
mon: potassium; kidney function; drug level when toxicity is suspected
inter: amiodarone and verapamil raise its concentration
dose: the usual maintenance dose is 0.125 to 0.25 mg once daily
teach: report nausea or visual change; do not double a missed dose

# allopurinol
class: xanthine oxidase inhibitor
mech: reduces the production of uric acid
pk: its active metabolite oxypurinol is cleared by the kidneys
use: prevention of gout attacks; urate kidney stones; prevention of tumor lysis syndrome
ae: rash; nausea; gout flare soon after starting
serious: severe cutaneous reaction, especially in carriers of HLA-B*5801; liver injury
avoid: a previous severe reaction to the drug
mon: serum urate; kidney function; liver enzymes
inter: it greatly increases the toxicity of azathioprine and mercaptopurine
dose: treatment starts at 100 mg once daily or lower and is raised until urate is below 6 mg/dL
teach: stop it and call at once for any rash; continue it during a gout attack

# colchicine
class: antigout drug
mech: binds tubulin, disrupts microtubules in neutrophils and so reduces their migration and activation
pk: it is a substrate of CYP3A4 and P-glycoprotein
use: acute gout; prevention of gout attacks; acute pericarditis; familial Mediterranean fever
ae: diarrhea; nausea; abdominal cramps
serious: bone marrow suppression; muscle injury; fatal toxicity in overdose
avoid: severe kidney impairment together with a strong CYP3A4 inhibitor
mon: blood count and kidney function with long-term use
inter: clarithromycin can raise its concentration to a dangerous level
dose: an acute gout attack is treated with 1.2 mg followed by 0.6 mg one hour later
teach: do not exceed the prescribed dose; stop it and call if severe diarrhea occurs

# ferrous sulfate
class: oral iron salt
mech: supplies iron for the synthesis of hemoglobin
pk: it is absorbed mainly in the duodenum, and absorption is better on an empty stomach
use: treatment of iron deficiency anemia; prevention of iron deficiency in pregnancy
ae: dark stools; constipation; nausea
serious: severe poisoning in children after accidental ingestion
avoid: hemochromatosis; repeated transfusion without iron deficiency
mon: hemoglobin after four weeks; ferritin after three months
inter: calcium, tea and acid-suppressing drugs reduce its absorption
dose: one 325 mg tablet provides 65 mg of elemental iron and is given once daily or on alternate days
teach: keep it away from children; expect dark stools

# cyanocobalamin
class: vitamin B12 preparation
mech: replaces cobalamin, a cofactor of methionine synthase and methylmalonyl-CoA mutase
pk: a small share of an oral dose is absorbed by diffusion without intrinsic factor
use: pernicious anemia; vitamin B12 deficiency of other causes
ae: mild diarrhea; soreness at the injection site; itching
serious: low potassium during rapid recovery of the marrow
avoid: allergy to cobalt; Leber hereditary optic neuropathy
mon: blood count; potassium at the start of treatment; neurological symptoms
inter: long-term metformin lowers vitamin B12 absorption
dose: injections of 1,000 mcg are given weekly at first and then monthly
teach: keep every appointment; continue treatment for life in pernicious anemia

# hydroxyurea
class: ribonucleotide reductase inhibitor
mech: increases fetal hemoglobin and lowers the number of neutrophils and adhesive cells
pk: it is well absorbed by mouth and partly cleared by the kidneys
use: sickle cell disease; polycythemia vera; essential thrombocythemia
ae: mild nausea; darkening of the nails; skin dryness
serious: bone marrow suppression; harm to the fetus
avoid: pregnancy; marked bone marrow suppression
mon: blood count every two to four weeks at first; fetal hemoglobin; mean cell volume
inter: other drugs that suppress the marrow add to its toxicity
dose: treatment of sickle cell disease starts at about 15 mg/kg once daily
teach: use reliable contraception; attend every blood test
"""
