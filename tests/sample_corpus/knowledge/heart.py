"""Conditions of the heart (parsed by ``records.parse_conditions``)."""

TEXT = """
# essential hypertension
short: hypertension
field: cardiology
age: 35-84
vitals: hypertensive
onset: 2 months; 6 months; 1 year
def: persistent elevation of arterial blood pressure, usually 140/90 mmHg or higher in the clinic, without a
  single identifiable cause
mech: increased systemic vascular resistance raises the pressure against which the left ventricle must pump
  | impaired renal sodium excretion shifts the pressure-natriuresis curve to the right | activation of the
  renin-angiotensin-aldosterone system promotes vasoconstriction and sodium retention | arteries stiffen
  with age, which raises systolic pressure more than diastolic pressure
epi: it is one of the most common chronic conditions in adults and becomes more frequent with age | many
  affected people do not know that they have it because it rarely causes symptoms
risk: older age; obesity; high dietary sodium intake; physical inactivity; heavy alcohol use; a family
  history of hypertension
sx: no symptoms at all; occasional morning headache; mild exertional breathlessness; fatigue late in the day
signs: a sustained apical impulse; a fourth heart sound; arteriolar narrowing on fundoscopy
neg: chest pain; visual loss; leg swelling
tests: ambulatory blood pressure monitoring => a daytime average of 135/85 mmHg or higher => daytime average
  {138:158}/{86:96} mmHg | urinalysis => albuminuria when the kidneys are affected => trace protein, no
  blood | electrocardiography => left ventricular hypertrophy in long-standing disease => sinus rhythm with
  voltage criteria for left ventricular hypertrophy | serum creatinine => a normal value in uncomplicated
  disease => {0.8:1.1} mg/dL
ddx: white coat hypertension; primary aldosteronism; renal artery stenosis; pheochromocytoma
tx1: dietary sodium restriction and weight loss; an angiotensin-converting enzyme inhibitor such as
  lisinopril; a calcium channel blocker such as amlodipine; a thiazide-type diuretic such as chlorthalidone
tx2: combination of two or three first-line drug classes; spironolactone for resistant hypertension; a
  search for secondary causes
rx: lisinopril = 10 mg by mouth once daily | amlodipine = 5 mg by mouth once daily | chlorthalidone = 12.5
  mg by mouth once daily
pick: 1
comp: stroke; myocardial infarction; heart failure; chronic kidney disease; retinopathy
prog: sustained control of blood pressure lowers the risk of stroke, heart failure and kidney disease |
  treatment is usually lifelong
fu: blood pressure check in 4 weeks; serum potassium and creatinine 2 weeks after starting treatment; yearly
  review once at target
teach: limit salt to less than one teaspoon a day; measure blood pressure at home and keep a log; take the
  tablets every day even when feeling well; walk briskly on most days
warn: severe headache; chest pain; sudden weakness or trouble speaking

# stable angina
field: cardiology
age: 48-82
onset: 6 weeks; 3 months; 5 months
def: predictable chest discomfort caused by transient myocardial ischemia, usually brought on by exertion or
  emotional stress and relieved by rest
mech: a fixed atherosclerotic narrowing of a coronary artery limits the rise in blood flow during exercise |
  ischemia occurs when myocardial oxygen demand exceeds supply | the subendocardium is affected first
  because its perfusion is most vulnerable
epi: it is more common in men than in women before the age of 65 and increases with age
risk: cigarette smoking; elevated low-density lipoprotein cholesterol; hypertension; diabetes mellitus; a
  family history of premature coronary disease
sx: pressure-like central chest discomfort on exertion; radiation of the discomfort to the left arm or jaw;
  relief within a few minutes of rest; breathlessness on climbing stairs; reduced exercise tolerance
signs: normal heart sounds; a soft carotid bruit; reduced foot pulses
neg: pain at rest; syncope; palpitations
tests: exercise electrocardiography => horizontal or downsloping ST depression during exertion => {1.5:2.5}
  mm of ST depression at peak exercise | coronary computed tomography angiography => an obstructive coronary
  plaque => a {60:75}% stenosis of the mid left anterior descending artery | fasting lipid profile =>
  elevated low-density lipoprotein cholesterol => LDL cholesterol {138:182} mg/dL
ddx: gastroesophageal reflux; musculoskeletal chest wall pain; aortic stenosis; unstable angina
tx1: a beta blocker such as metoprolol; short-acting nitroglycerin for acute episodes; low-dose aspirin; a
  high-intensity statin such as atorvastatin
tx2: addition of amlodipine; a long-acting nitrate; coronary revascularization when symptoms persist
rx: metoprolol succinate = 50 mg by mouth once daily | aspirin = 81 mg by mouth once daily | atorvastatin =
  80 mg by mouth at bedtime | nitroglycerin = 0.4 mg under the tongue as needed for chest pain
comp: acute myocardial infarction; heart failure; ventricular arrhythmia
prog: most patients have good symptom control with medical therapy | outcome depends on left ventricular
  function and on the extent of coronary disease
fu: clinic review in 6 weeks; repeat lipid profile in 2 months; cardiac rehabilitation referral
teach: sit down before using nitroglycerin; stop smoking; call an ambulance if pain lasts longer than five
  minutes after nitroglycerin
warn: chest pain at rest; fainting; pain that is more frequent or more severe

# acute ST-elevation myocardial infarction
short: ST-elevation myocardial infarction
field: cardiology
age: 46-84
vitals: tachycardic
onset: 1 hour; 2 hours; 4 hours
def: necrosis of heart muscle due to sudden complete occlusion of an epicardial coronary artery
mech: rupture or erosion of an atherosclerotic plaque exposes thrombogenic material and triggers an
  occlusive thrombus | necrosis begins in the subendocardium and spreads outward as a wavefront over several
  hours | the sooner flow is restored, the more myocardium is saved
epi: mortality has fallen steadily since the introduction of reperfusion therapy
risk: cigarette smoking; diabetes mellitus; hypertension; high low-density lipoprotein cholesterol; male
  sex; older age
sx: crushing central chest pain; radiation of the pain to the left arm; sweating; nausea; shortness of
  breath
signs: pallor and diaphoresis; a fourth heart sound; fine crackles at both lung bases
neg: fever; tearing back pain; cough
tests: electrocardiography => ST-segment elevation in contiguous leads => ST elevation of {2:4} mm in leads
  II, III and aVF | high-sensitivity cardiac troponin => a rise above the 99th percentile => rising on
  serial samples to {1800:9200} ng/L | echocardiography => a regional wall motion abnormality => inferior
  wall hypokinesis with an ejection fraction of {42:52}%
ddx: acute pericarditis; aortic dissection; pulmonary embolism; esophageal spasm
tx1: emergency primary percutaneous coronary intervention; aspirin with a second antiplatelet drug such as
  clopidogrel; intravenous heparin; a high-intensity statin
tx2: fibrinolysis when timely intervention is not available; an angiotensin-converting enzyme inhibitor for
  left ventricular dysfunction; a beta blocker once the patient is stable
rx: aspirin = 81 mg by mouth once daily | clopidogrel = 75 mg by mouth once daily | atorvastatin = 80 mg by
  mouth at bedtime | metoprolol succinate = 25 mg by mouth once daily | lisinopril = 5 mg by mouth once
  daily
acute: aspirin; clopidogrel; atorvastatin
comp: ventricular fibrillation; cardiogenic shock; papillary muscle rupture; heart failure; left ventricular
  thrombus
prog: early reperfusion is the strongest modifiable determinant of survival | dual antiplatelet therapy is
  usually continued for about 12 months after stenting
fu: cardiology visit in 2 weeks; repeat echocardiography in 6 to 12 weeks; enrollment in cardiac
  rehabilitation
teach: never stop the antiplatelet tablets without asking the cardiology team; stop smoking completely;
  increase walking gradually
warn: recurrent chest pain; fainting; black stools; new breathlessness
course: Coronary angiography showed an occluded right coronary artery, which was opened and treated with one
  drug-eluting stent. | Chest pain resolved after the artery was opened, and no further arrhythmia was seen
  on telemetry. | The access site remained soft, and the patient walked the corridor without symptoms on the
  second day.
nurse: telemetry shows sinus rhythm without ectopy; wrist access site is dry with a good distal pulse; no
  chest pain during the shift; walked to the bathroom with one-person assistance

# heart failure with reduced ejection fraction
short: heart failure
field: cardiology
age: 52-86
vitals: tachycardic hypoxic
onset: 1 week; 10 days; 3 weeks
def: a clinical syndrome in which the left ventricle cannot eject enough blood to meet the needs of the
  body, with an ejection fraction of 40% or less
mech: loss of functioning myocardium lowers stroke volume and raises filling pressures | sympathetic and
  renin-angiotensin-aldosterone activation supports the circulation at first but later drives adverse
  remodeling | elevated left atrial pressure causes pulmonary congestion, and elevated right-sided pressure
  causes edema
epi: ischemic heart disease is the leading cause in most high-income countries
risk: previous myocardial infarction; long-standing hypertension; heavy alcohol use; valvular heart disease;
  exposure to cardiotoxic chemotherapy
sx: breathlessness on exertion; the need for several pillows at night; waking at night short of breath;
  ankle swelling; fatigue; rapid weight gain
signs: elevated jugular venous pressure; a third heart sound; bibasal crackles; pitting edema to the mid
  shins; a displaced apical impulse
neg: chest pain; fever; hemoptysis
tests: echocardiography => a dilated left ventricle with an ejection fraction of 40% or less => ejection
  fraction {20:38}% with a dilated left ventricle | natriuretic peptide => an elevated concentration => BNP
  {620:1850} pg/mL | electrocardiography => evidence of an old infarction or left bundle branch block =>
  sinus rhythm with left bundle branch block
ddx: chronic obstructive pulmonary disease; nephrotic syndrome; cirrhosis with ascites; constrictive
  pericarditis
tx1: sacubitril-valsartan or an angiotensin-converting enzyme inhibitor; an evidence-based beta blocker such
  as carvedilol; spironolactone; a sodium-glucose cotransporter-2 inhibitor such as empagliflozin;
  furosemide to relieve congestion
tx2: an implantable cardioverter-defibrillator; cardiac resynchronization therapy when the QRS complex is
  wide; advanced therapies such as transplantation
rx: carvedilol = 6.25 mg by mouth twice daily | spironolactone = 25 mg by mouth once daily | furosemide = 40
  mg by mouth once daily | empagliflozin = 10 mg by mouth once daily | lisinopril = 5 mg by mouth once daily
comp: cardiogenic shock; ventricular arrhythmia; cardiorenal syndrome; thromboembolism; recurrent hospital
  admission
prog: combined use of four drug classes substantially lowers mortality | repeated admissions mark a poorer
  outlook
fu: clinic visit within 7 days; serum potassium and creatinine in 1 week; repeat echocardiography after 3
  months of optimal therapy
teach: weigh yourself every morning and write the weight down; keep salt intake low; avoid anti-inflammatory
  pain relievers
warn: weight gain of more than three pounds in a day; worsening breathlessness; fainting
img: Chest radiograph, two views => The cardiac silhouette is enlarged; There is upper-lobe vascular
  redistribution with Kerley B lines; Small bilateral pleural effusions are present; No focal consolidation
  is seen => Cardiomegaly with interstitial pulmonary edema and small effusions, consistent with congestive
  heart failure
course: Intravenous furosemide produced a net fluid loss of about 4 liters over three days. | Oxygen was
  weaned as congestion cleared, and renal function remained stable. | Oral therapy was restarted at low
  doses before discharge and was well tolerated.
nurse: daily weight is down by 1.2 kg since yesterday; fluid restriction is maintained; crackles are now
  limited to the lung bases; ankle edema is decreasing

# atrial fibrillation
field: cardiology
age: 55-86
vitals: fast
onset: 2 days; 1 week; 3 weeks
def: a supraventricular arrhythmia with disorganized atrial electrical activity and an irregularly irregular
  ventricular rhythm
mech: rapid firing foci, often near the pulmonary veins, trigger and maintain the arrhythmia | loss of
  atrial contraction reduces ventricular filling and allows blood to stagnate in the left atrial appendage |
  structural and electrical remodeling make later episodes longer, so that the arrhythmia tends to
  perpetuate itself
epi: it is the most common sustained arrhythmia in adults, and its frequency rises steeply with age
risk: older age; hypertension; obesity; obstructive sleep apnea; heavy alcohol use; valvular heart disease;
  hyperthyroidism
sx: palpitations; reduced exercise tolerance; breathlessness on exertion; lightheadedness; fatigue
signs: an irregularly irregular pulse; variable intensity of the first heart sound; a pulse deficit
neg: chest pain; syncope; focal weakness
tests: electrocardiography => absent P waves with irregular RR intervals => atrial fibrillation with a
  ventricular rate of {108:142} per minute | transthoracic echocardiography => left atrial enlargement =>
  moderate left atrial enlargement, ejection fraction {52:60}% | thyroid-stimulating hormone => a normal
  value unless thyroid disease is present => {1.2:3.4} mIU/L
ddx: atrial flutter; multifocal atrial tachycardia; frequent premature atrial beats
tx1: rate control with metoprolol; oral anticoagulation with apixaban when the stroke risk is raised;
  treatment of reversible triggers
tx2: rhythm control with amiodarone; catheter ablation; electrical cardioversion; warfarin when a mechanical
  valve is present
rx: metoprolol succinate = 50 mg by mouth once daily | apixaban = 5 mg by mouth twice daily
comp: ischemic stroke; systemic embolism; tachycardia-induced cardiomyopathy; heart failure
prog: anticoagulation lowers the risk of stroke by roughly two thirds | weight loss and treatment of sleep
  apnea reduce recurrence
fu: clinic visit in 2 weeks with a repeat electrocardiogram; yearly renal function and blood count;
  ambulatory rhythm monitoring
teach: do not skip doses of the blood thinner; limit alcohol; learn to check your own pulse
warn: facial droop or arm weakness; fainting; unusual bleeding
course: The ventricular rate settled below 90 per minute with oral metoprolol. | Anticoagulation was started
  after bleeding risk was reviewed, and no bleeding occurred.
nurse: telemetry shows atrial fibrillation with a controlled rate; no dizziness on standing; first dose of
  the anticoagulant given and explained

# aortic stenosis
field: cardiology
age: 64-88
onset: 3 months; 6 months; 8 months
def: narrowing of the aortic valve orifice that obstructs outflow from the left ventricle
mech: progressive calcification stiffens the valve cusps | chronic pressure overload causes concentric left
  ventricular hypertrophy | a bicuspid valve calcifies one or two decades earlier than a normal three-cusp
  valve
epi: degenerative calcification is the usual cause in older adults
risk: older age; a bicuspid aortic valve; hypertension; chronic kidney disease; previous rheumatic fever
sx: breathlessness on exertion; exertional chest tightness; lightheadedness with effort; declining stamina
signs: a harsh crescendo-decrescendo systolic murmur radiating to the carotid arteries; a slow-rising pulse;
  a soft second heart sound; a sustained apical impulse
neg: fever; orthopnea; palpitations
tests: echocardiography => a valve area below 1.0 square centimeter with a mean gradient of at least 40 mmHg
  in severe disease => valve area {0.6:0.9} square centimeters, mean gradient {42:58} mmHg |
  electrocardiography => left ventricular hypertrophy => sinus rhythm with left ventricular hypertrophy |
  natriuretic peptide => an elevated value as the ventricle decompensates => BNP {180:420} pg/mL
ddx: hypertrophic cardiomyopathy; mitral regurgitation; coronary artery disease
tx1: surgical aortic valve replacement; transcatheter aortic valve implantation; regular echocardiographic
  surveillance while symptoms are absent
tx2: careful use of furosemide for congestion; balloon valvuloplasty as a bridge to definitive treatment
rx: furosemide = 20 mg by mouth once daily
comp: heart failure; exertional syncope; sudden death; acquired von Willebrand syndrome with bleeding
prog: survival falls sharply once symptoms appear unless the valve is replaced | outcome after timely
  replacement is good
fu: referral to the heart valve team; repeat echocardiography in 6 months; dental review before valve
  intervention
teach: avoid strenuous exertion until the valve has been reviewed; report fainting at once; keep teeth and
  gums healthy
warn: fainting; chest pain; worsening breathlessness
"""
