"""Conditions of the heart, the vessels and the lungs (parsed by ``records.parse_conditions``)."""

TEXT = """
# essential hypertension
short: hypertension
field: cardiology
age: 35-84
vitals: hypertensive
onset: 2 months; 6 months; 1 year
def: persistent elevation of arterial blood pressure, usually 140/90 mmHg or higher in the clinic, without a single identifiable cause
mech: increased systemic vascular resistance raises the pressure against which the left ventricle must pump | impaired renal sodium excretion shifts the pressure-natriuresis curve to the right | activation of the renin-angiotensin-aldosterone system promotes vasoconstriction and sodium retention | arteries stiffen with age, which raises systolic pressure more than diastolic pressure
epi: it is one of the most common chronic conditions in adults and becomes more frequent with age | many affected people do not know that they have it because it rarely causes symptoms
risk: older age; obesity; high dietary sodium intake; physical inactivity; heavy alcohol use; a family history of hypertension
sx: no symptoms at all; occasional morning headache; mild exertional breathlessness; fatigue late in the day
signs: a sustained apical impulse; a fourth heart sound; arteriolar narrowing on fundoscopy
neg: chest pain; visual loss; leg swelling
tests: ambulatory blood pressure monitoring => a daytime average of 135/85 mmHg or higher => daytime average {138:158}/{86:96} mmHg | urinalysis => albuminuria when the kidneys are affected => trace protein, no blood | electrocardiography => left ventricular hypertrophy in long-standing disease => sinus rhythm with voltage criteria for left ventricular hypertrophy | serum creatinine => a normal value in uncomplicated disease => {0.8:1.1} mg/dL
ddx: white coat hypertension; primary aldosteronism; renal artery stenosis; pheochromocytoma
tx1: dietary sodium restriction and weight loss; an angiotensin-converting enzyme inhibitor such as lisinopril; a calcium channel blocker such as amlodipine; a thiazide-type diuretic such as chlorthalidone
tx2: combination of two or three first-line drug classes; spironolactone for resistant hypertension; a search for secondary causes
rx: lisinopril = 10 mg by mouth once daily | amlodipine = 5 mg by mouth once daily | chlorthalidone = 12.5 mg by mouth once daily
comp: stroke; myocardial infarction; heart failure; chronic kidney disease; retinopathy
prog: sustained control of blood pressure lowers the risk of stroke, heart failure and kidney disease | treatment is usually lifelong
fu: blood pressure check in 4 weeks; serum potassium and creatinine 2 weeks after starting treatment; yearly review once at target
teach: limit salt to less than one teaspoon a day; measure blood pressure at home and keep a log; take the tablets every day even when feeling well; walk briskly on most days
warn: severe headache; chest pain; sudden weakness or trouble speaking

# stable angina
field: cardiology
age: 48-82
onset: 6 weeks; 3 months; 5 months
def: predictable chest discomfort caused by transient myocardial ischemia, usually brought on by exertion or emotional stress and relieved by rest
mech: a fixed atherosclerotic narrowing of a coronary artery limits the rise in blood flow during exercise | ischemia occurs when myocardial oxygen demand exceeds supply | the subendocardium is affected first because its perfusion is most vulnerable
epi: it is more common in men than in women before the age of 65 and increases with age
risk: cigarette smoking; elevated low-density lipoprotein cholesterol; hypertension; diabetes mellitus; a family history of premature coronary disease
sx: pressure-like central chest discomfort on exertion; radiation of the discomfort to the left arm or jaw; relief within a few minutes of rest; breathlessness on climbing stairs; reduced exercise tolerance
signs: a normal examination between episodes; a soft carotid bruit; reduced foot pulses
neg: pain at rest; syncope; palpitations
tests: exercise electrocardiography => horizontal or downsloping ST depression during exertion => {1.5:2.5} mm of ST depression at peak exercise | coronary computed tomography angiography => an obstructive coronary plaque => a {60:75}% stenosis of the mid left anterior descending artery | fasting lipid profile => elevated low-density lipoprotein cholesterol => LDL cholesterol {138:182} mg/dL
ddx: gastroesophageal reflux; musculoskeletal chest wall pain; aortic stenosis; unstable angina
tx1: a beta blocker such as metoprolol; short-acting nitroglycerin for acute episodes; low-dose aspirin; a high-intensity statin such as atorvastatin
tx2: addition of amlodipine; a long-acting nitrate; coronary revascularization when symptoms persist
rx: metoprolol succinate = 50 mg by mouth once daily | aspirin = 81 mg by mouth once daily | atorvastatin = 80 mg by mouth at bedtime | nitroglycerin = 0.4 mg under the tongue as needed for chest pain
comp: acute myocardial infarction; heart failure; ventricular arrhythmia
prog: most patients have good symptom control with medical therapy | outcome depends on left ventricular function and on the extent of coronary disease
fu: clinic review in 6 weeks; repeat lipid profile in 2 months; cardiac rehabilitation referral
teach: sit down before using nitroglycerin; stop smoking; call an ambulance if pain lasts longer than five minutes after nitroglycerin
warn: chest pain at rest; fainting; pain that is more frequent or more severe

# acute ST-elevation myocardial infarction
short: ST-elevation myocardial infarction
field: cardiology
age: 46-84
vitals: tachycardic
onset: 1 hour; 2 hours; 4 hours
def: necrosis of heart muscle due to sudden complete occlusion of an epicardial coronary artery
mech: rupture or erosion of an atherosclerotic plaque exposes thrombogenic material and triggers an occlusive thrombus | necrosis begins in the subendocardium and spreads outward as a wavefront over several hours | the sooner flow is restored, the more myocardium is saved
epi: mortality has fallen steadily since the introduction of reperfusion therapy
risk: cigarette smoking; diabetes mellitus; hypertension; high low-density lipoprotein cholesterol; male sex; older age
sx: crushing central chest pain; radiation of the pain to the left arm; sweating; nausea; shortness of breath
signs: pallor and diaphoresis; a fourth heart sound; fine crackles at both lung bases
neg: fever; tearing back pain; cough
tests: electrocardiography => ST-segment elevation in contiguous leads => ST elevation of {2:4} mm in leads II, III and aVF | high-sensitivity cardiac troponin => a rise above the 99th percentile => rising on serial samples to {1800:9200} ng/L | echocardiography => a regional wall motion abnormality => inferior wall hypokinesis with an ejection fraction of {42:52}%
ddx: acute pericarditis; aortic dissection; pulmonary embolism; esophageal spasm
tx1: emergency primary percutaneous coronary intervention; aspirin with a second antiplatelet drug such as clopidogrel; intravenous heparin; a high-intensity statin
tx2: fibrinolysis when timely intervention is not available; an angiotensin-converting enzyme inhibitor for left ventricular dysfunction; a beta blocker once the patient is stable
rx: aspirin = 81 mg by mouth once daily | clopidogrel = 75 mg by mouth once daily | atorvastatin = 80 mg by mouth at bedtime | metoprolol succinate = 25 mg by mouth once daily | lisinopril = 5 mg by mouth once daily
comp: ventricular fibrillation; cardiogenic shock; papillary muscle rupture; heart failure; left ventricular thrombus
prog: early reperfusion is the strongest modifiable determinant of survival | dual antiplatelet therapy is usually continued for about 12 months after stenting
fu: cardiology visit in 2 weeks; repeat echocardiography in 6 to 12 weeks; enrollment in cardiac rehabilitation
teach: never stop the antiplatelet tablets without asking the cardiology team; stop smoking completely; increase walking gradually
warn: recurrent chest pain; fainting; black stools; new breathlessness
course: Coronary angiography showed an occluded right coronary artery, which was opened and treated with one drug-eluting stent. | Chest pain resolved after the artery was opened, and no further arrhythmia was seen on telemetry. | The access site remained soft, and the patient walked the corridor without symptoms on the second day.
nurse: telemetry shows sinus rhythm without ectopy; wrist access site is dry with a good distal pulse; no chest pain during the shift; walked to the bathroom with one-person assistance

# heart failure with reduced ejection fraction
short: heart failure
field: cardiology
age: 52-86
vitals: tachycardic hypoxic
onset: 1 week; 10 days; 3 weeks
def: a clinical syndrome in which the left ventricle cannot eject enough blood to meet the needs of the body, with an ejection fraction of 40% or less
mech: loss of functioning myocardium lowers stroke volume and raises filling pressures | sympathetic and renin-angiotensin-aldosterone activation supports the circulation at first but later drives adverse remodeling | elevated left atrial pressure causes pulmonary congestion, and elevated right-sided pressure causes edema
epi: ischemic heart disease is the leading cause in most high-income countries
risk: previous myocardial infarction; long-standing hypertension; heavy alcohol use; valvular heart disease; exposure to cardiotoxic chemotherapy
sx: breathlessness on exertion; the need for several pillows at night; waking at night short of breath; ankle swelling; fatigue; rapid weight gain
signs: elevated jugular venous pressure; a third heart sound; bibasal crackles; pitting edema to the mid shins; a displaced apical impulse
neg: chest pain; fever; hemoptysis
tests: echocardiography => a dilated left ventricle with an ejection fraction of 40% or less => ejection fraction {20:38}% with a dilated left ventricle | natriuretic peptide => an elevated concentration => BNP {620:1850} pg/mL | electrocardiography => evidence of an old infarction or left bundle branch block => sinus rhythm with left bundle branch block
ddx: chronic obstructive pulmonary disease; nephrotic syndrome; cirrhosis with ascites; constrictive pericarditis
tx1: sacubitril-valsartan or an angiotensin-converting enzyme inhibitor; an evidence-based beta blocker such as carvedilol; spironolactone; a sodium-glucose cotransporter-2 inhibitor such as empagliflozin; furosemide to relieve congestion
tx2: an implantable cardioverter-defibrillator; cardiac resynchronization therapy when the QRS complex is wide; advanced therapies such as transplantation
rx: carvedilol = 6.25 mg by mouth twice daily | spironolactone = 25 mg by mouth once daily | furosemide = 40 mg by mouth once daily | empagliflozin = 10 mg by mouth once daily | lisinopril = 5 mg by mouth once daily
comp: cardiogenic shock; ventricular arrhythmia; cardiorenal syndrome; thromboembolism; recurrent hospital admission
prog: combined use of four drug classes substantially lowers mortality | repeated admissions mark a poorer outlook
fu: clinic visit within 7 days; serum potassium and creatinine in 1 week; repeat echocardiography after 3 months of optimal therapy
teach: weigh yourself every morning and write the weight down; keep salt intake low; avoid anti-inflammatory pain relievers
warn: weight gain of more than three pounds in a day; worsening breathlessness; fainting
img: Chest radiograph, two views => The cardiac silhouette is enlarged; There is upper-lobe vascular redistribution with Kerley B lines; Small bilateral pleural effusions are present; No focal consolidation is seen => Cardiomegaly with interstitial pulmonary edema and small effusions, consistent with congestive heart failure
course: Intravenous furosemide produced a net fluid loss of about 4 liters over three days. | Oxygen was weaned as congestion cleared, and renal function remained stable. | Oral therapy was restarted at low doses before discharge and was well tolerated.
nurse: daily weight is down by 1.2 kg since yesterday; fluid restriction is maintained; crackles are now limited to the lung bases; ankle edema is decreasing

# atrial fibrillation
field: cardiology
age: 55-86
vitals: fast
onset: 2 days; 1 week; 3 weeks
def: a supraventricular arrhythmia with disorganized atrial electrical activity and an irregularly irregular ventricular rhythm
mech: rapid firing foci, often near the pulmonary veins, trigger and maintain the arrhythmia | loss of atrial contraction reduces ventricular filling and allows blood to stagnate in the left atrial appendage | structural and electrical remodeling make later episodes longer, so that the arrhythmia tends to perpetuate itself
epi: it is the most common sustained arrhythmia in adults, and its frequency rises steeply with age
risk: older age; hypertension; obesity; obstructive sleep apnea; heavy alcohol use; valvular heart disease; hyperthyroidism
sx: palpitations; reduced exercise tolerance; breathlessness on exertion; lightheadedness; fatigue
signs: an irregularly irregular pulse; variable intensity of the first heart sound; a pulse deficit
neg: chest pain; syncope; focal weakness
tests: electrocardiography => absent P waves with irregular RR intervals => atrial fibrillation with a ventricular rate of {108:142} per minute | transthoracic echocardiography => left atrial enlargement => moderate left atrial enlargement, ejection fraction {52:60}% | thyroid-stimulating hormone => a normal value unless thyroid disease is present => {1.2:3.4} mIU/L
ddx: atrial flutter; multifocal atrial tachycardia; frequent premature atrial beats
tx1: rate control with metoprolol; oral anticoagulation with apixaban when the stroke risk is raised; treatment of reversible triggers
tx2: rhythm control with amiodarone; catheter ablation; electrical cardioversion; warfarin when a mechanical valve is present
rx: metoprolol succinate = 50 mg by mouth once daily | apixaban = 5 mg by mouth twice daily
comp: ischemic stroke; systemic embolism; tachycardia-induced cardiomyopathy; heart failure
prog: anticoagulation lowers the risk of stroke by roughly two thirds | weight loss and treatment of sleep apnea reduce recurrence
fu: clinic visit in 2 weeks with a repeat electrocardiogram; yearly renal function and blood count; ambulatory rhythm monitoring
teach: do not skip doses of the blood thinner; limit alcohol; learn to check your own pulse
warn: facial droop or arm weakness; fainting; unusual bleeding
course: The ventricular rate settled below 90 per minute with oral metoprolol. | Anticoagulation was started after bleeding risk was reviewed, and no bleeding occurred.
nurse: telemetry shows atrial fibrillation with a controlled rate; no dizziness on standing; first dose of the anticoagulant given and explained

# aortic stenosis
field: cardiology
age: 64-88
onset: 3 months; 6 months; 8 months
def: narrowing of the aortic valve orifice that obstructs outflow from the left ventricle
mech: progressive calcification stiffens the valve cusps | chronic pressure overload causes concentric left ventricular hypertrophy | a bicuspid valve calcifies one or two decades earlier than a normal three-cusp valve
epi: degenerative calcification is the usual cause in older adults
risk: older age; a bicuspid aortic valve; hypertension; chronic kidney disease; previous rheumatic fever
sx: breathlessness on exertion; exertional chest tightness; lightheadedness with effort; declining stamina
signs: a harsh crescendo-decrescendo systolic murmur radiating to the carotid arteries; a slow-rising pulse; a soft second heart sound; a sustained apical impulse
neg: fever; orthopnea; palpitations
tests: echocardiography => a valve area below 1.0 square centimeter with a mean gradient of at least 40 mmHg in severe disease => valve area {0.6:0.9} square centimeters, mean gradient {42:58} mmHg | electrocardiography => left ventricular hypertrophy => sinus rhythm with left ventricular hypertrophy | natriuretic peptide => an elevated value as the ventricle decompensates => BNP {180:420} pg/mL
ddx: hypertrophic cardiomyopathy; mitral regurgitation; coronary artery disease
tx1: surgical aortic valve replacement; transcatheter aortic valve implantation; regular echocardiographic surveillance while symptoms are absent
tx2: careful use of furosemide for congestion; balloon valvuloplasty as a bridge to definitive treatment
rx: furosemide = 20 mg by mouth once daily
comp: heart failure; exertional syncope; sudden death; acquired von Willebrand syndrome with bleeding
prog: survival falls sharply once symptoms appear unless the valve is replaced | outcome after timely replacement is good
fu: referral to the heart valve team; repeat echocardiography in 6 months; dental review before valve intervention
teach: avoid strenuous exertion until the valve has been reviewed; report fainting at once; keep teeth and gums healthy
warn: fainting; chest pain; worsening breathlessness

# deep vein thrombosis
field: hematology
age: 28-80
onset: 2 days; 4 days; 1 week
def: formation of a blood clot in a deep vein, most often of the leg or pelvis
mech: venous stasis, vessel wall injury and hypercoagulability together form the Virchow triad | clots usually begin in the valve pockets of the calf and may extend proximally | proximal clots are much more likely to embolize than clots confined to the calf
epi: about half of all cases follow recent hospitalization or surgery
risk: recent surgery; prolonged immobility; active cancer; estrogen-containing medication; inherited thrombophilia; obesity
sx: swelling of one leg; calf pain worse on standing; warmth of the leg; a feeling of heaviness in the leg
signs: calf circumference 3 cm greater than the other side; pitting edema of the affected leg; tenderness along the deep veins
neg: chest pain; shortness of breath; fever
tests: compression ultrasonography => a vein that does not collapse under probe pressure => noncompressible popliteal and distal femoral vein | D-dimer => an elevated concentration, with a normal result making thrombosis unlikely when pretest probability is low => {1200:3600} ng/mL
ddx: cellulitis; ruptured popliteal cyst; superficial thrombophlebitis; calf muscle tear
tx1: a direct oral anticoagulant such as apixaban; early walking; treatment for at least three months
tx2: low-molecular-weight heparin such as enoxaparin; warfarin when direct oral agents are unsuitable; an inferior vena cava filter when anticoagulation is contraindicated
rx: apixaban = 10 mg by mouth twice daily for 7 days, then 5 mg by mouth twice daily
comp: pulmonary embolism; post-thrombotic syndrome; recurrent thrombosis
prog: clots provoked by surgery recur less often than unprovoked clots | post-thrombotic symptoms affect up to half of patients with proximal clots
fu: clinic visit in 1 week; review of treatment length at 3 months; age-appropriate cancer screening
teach: keep walking; take the anticoagulant at the same times each day; tell every clinician and dentist about the anticoagulant
warn: sudden breathlessness; chest pain; heavy bleeding
img: Duplex ultrasound of the leg veins => The popliteal vein and distal femoral vein are distended and do not compress; Echogenic material is seen in the lumen without color flow; The common femoral vein is patent and compressible => Acute occlusive femoropopliteal deep vein thrombosis

# pulmonary embolism
field: pulmonology
age: 32-82
vitals: tachycardic hypoxic tachypneic
onset: 6 hours; 1 day; 2 days
def: obstruction of the pulmonary arteries by material that has traveled through the venous circulation, most often a clot from the leg veins
mech: mechanical obstruction raises pulmonary vascular resistance and strains the right ventricle | ventilated but unperfused lung creates dead space and widens the alveolar-arterial oxygen gradient | large emboli cause shock through acute right ventricular failure
epi: it is a leading preventable cause of death in hospital
risk: recent surgery; active cancer; prolonged travel or bed rest; previous venous thrombosis; estrogen therapy
sx: sudden shortness of breath; pleuritic chest pain; cough; a sense of apprehension; lightheadedness
signs: tachycardia; tachypnea; a loud pulmonary component of the second heart sound; unilateral calf swelling
neg: fever; purulent sputum; abdominal pain
tests: computed tomography pulmonary angiography => an intraluminal filling defect => filling defects in the right lower lobe segmental arteries | D-dimer => an elevated concentration => {1500:5200} ng/mL | electrocardiography => sinus tachycardia, sometimes with right heart strain => sinus tachycardia, no ischemic changes | cardiac troponin => elevation when the right ventricle is strained => within the reference range
ddx: pneumonia; acute coronary syndrome; pneumothorax; acute pericarditis
tx1: immediate anticoagulation; apixaban or another direct oral anticoagulant; supplemental oxygen
tx2: enoxaparin in patients with selected cancers; systemic thrombolysis with alteplase for persistent hypotension; catheter-directed therapy
rx: apixaban = 10 mg by mouth twice daily for 7 days, then 5 mg by mouth twice daily
comp: obstructive shock; pulmonary infarction; chronic thromboembolic pulmonary hypertension; recurrent embolism
prog: most deaths occur early, before treatment takes effect | breathlessness that persists beyond three months should prompt testing for chronic thromboembolic disease
fu: clinic visit in 1 week; reassessment at 3 months; decision on extended anticoagulation
teach: do not miss doses of the anticoagulant; stay active; report any bleeding
warn: worsening breathlessness; fainting; coughing up blood
img: CT pulmonary angiogram => Filling defects are present in the segmental branches of the right lower lobe pulmonary artery; The right ventricle is not dilated; There is a small peripheral wedge-shaped opacity in the right lower lobe; No pleural effusion is seen => Acute segmental pulmonary embolism without right heart strain
course: Anticoagulation was started in the emergency department, and the heart rate settled within a day. | Oxygen was stopped on the second day, with saturations above 94% on room air while walking. | Ultrasound of the legs showed no residual proximal clot.
nurse: oxygen weaned to room air; no bleeding from gums or injection sites; walked 50 meters with stable saturation

# peripheral artery disease
field: vascular medicine
age: 55-84
onset: 4 months; 8 months; 1 year
def: atherosclerotic narrowing of the arteries that supply the limbs, most often the legs
mech: exercise increases muscle oxygen demand beyond what the narrowed artery can deliver | severe disease reduces resting perfusion and impairs tissue healing | the same atherosclerotic process usually involves the coronary and carotid arteries
epi: its frequency rises with age, and smoking is the strongest modifiable risk factor
risk: cigarette smoking; diabetes mellitus; hypertension; hyperlipidemia; chronic kidney disease
sx: calf cramping when walking a fixed distance; relief of leg pain within minutes of standing still; cold feet; slow healing of minor foot wounds
signs: diminished pedal pulses; a femoral bruit; hair loss over the shins; pallor of the foot on elevation
neg: back pain; leg swelling; pain at rest
tests: ankle-brachial index => a ratio of 0.90 or less => {0.58:0.82} on the symptomatic side | duplex ultrasonography => a focal stenosis with increased flow velocity => a {60:80}% stenosis of the superficial femoral artery | fasting lipid profile => elevated low-density lipoprotein cholesterol => LDL cholesterol {122:168} mg/dL
ddx: lumbar spinal stenosis; venous claudication; hip osteoarthritis; peripheral neuropathy
tx1: smoking cessation; supervised exercise therapy; an antiplatelet drug such as clopidogrel; atorvastatin
tx2: cilostazol for limiting claudication; endovascular revascularization; surgical bypass
rx: clopidogrel = 75 mg by mouth once daily | atorvastatin = 80 mg by mouth at bedtime
comp: nonhealing ulcer; gangrene; limb loss; myocardial infarction; stroke
prog: few patients with claudication lose a limb, but many have coronary events | regular walking can double the pain-free distance
fu: vascular clinic in 3 months; repeat lipid profile in 8 weeks; foot check at every visit
teach: walk until moderate discomfort, rest, and start again; inspect both feet daily; stop smoking
warn: pain at rest in the foot; a new foot ulcer; a suddenly cold or numb leg

# acute pericarditis
field: cardiology
age: 20-52
onset: 1 day; 2 days; 4 days
def: acute inflammation of the pericardial sac that surrounds the heart
mech: most cases are presumed viral or idiopathic | inflamed pericardial layers rub together and irritate the adjacent epicardium | inflammation may produce fluid that accumulates as a pericardial effusion
epi: it accounts for about one in twenty emergency visits for chest pain that is not due to infarction
risk: a recent viral illness; autoimmune disease; recent cardiac surgery; advanced kidney failure
sx: sharp chest pain worse on lying flat; relief of the pain on sitting forward; pain with deep breathing; low-grade fever; recent cold-like symptoms
signs: a scratchy friction rub at the left sternal border; discomfort when lying supine
neg: leg swelling; exertional chest pressure; syncope
tests: electrocardiography => widespread concave ST elevation with PR depression => diffuse concave ST elevation with PR depression | C-reactive protein => an elevated concentration => {28:96} mg/L | echocardiography => normal function, sometimes with a small effusion => a trivial pericardial effusion with normal ventricular function
ddx: acute myocardial infarction; pulmonary embolism; pleurisy; costochondritis
tx1: ibuprofen or high-dose aspirin; colchicine for three months; restriction of strenuous exercise
tx2: low-dose prednisone when first-line drugs fail or are contraindicated; pericardiocentesis for tamponade
rx: ibuprofen = 600 mg by mouth three times daily with food | colchicine = 0.6 mg by mouth twice daily
comp: cardiac tamponade; recurrent pericarditis; constrictive pericarditis
prog: most cases resolve within two weeks | colchicine roughly halves the rate of recurrence
fu: clinic review in 1 week with repeat C-reactive protein; repeat echocardiography if an effusion was present
teach: avoid sports until symptoms and inflammatory markers settle; take ibuprofen with food; sit forward to ease the pain
warn: fainting; increasing breathlessness; return of chest pain

# infective endocarditis
field: infectious diseases
age: 30-78
vitals: febrile tachycardic
onset: 10 days; 2 weeks; 3 weeks
def: infection of the endocardial surface of the heart, usually involving a valve
mech: turbulent flow or foreign material damages the endothelium and allows platelets and fibrin to deposit | bacteria that enter the bloodstream adhere to the deposit and form a vegetation | fragments of vegetation break off and embolize to distant organs
epi: Staphylococcus aureus is now a leading cause in many hospitals
risk: a prosthetic heart valve; injection drug use; previous endocarditis; an intravascular device; degenerative valve disease
sx: fever and chills; night sweats; weight loss; fatigue; aching joints
signs: a new regurgitant murmur; splinter hemorrhages; tender fingertip nodules; conjunctival petechiae
neg: sore throat; diarrhea; neck stiffness
tests: blood cultures => sustained bacteremia with a typical organism => growth of viridans streptococci in three of three sets | transesophageal echocardiography => a mobile valvular vegetation => an {8:14} mm mobile vegetation on the mitral valve | C-reactive protein => an elevated concentration => {84:190} mg/L
ddx: rheumatic fever; systemic lupus erythematosus; atrial myxoma; occult malignancy
tx1: prolonged intravenous antibiotics guided by culture; ceftriaxone for susceptible streptococci; vancomycin while awaiting culture results
tx2: valve surgery for heart failure, uncontrolled infection or large vegetations; removal of infected devices
rx: ceftriaxone = 2 g intravenously once daily
comp: heart failure from valve destruction; embolic stroke; perivalvular abscess; septic arthritis; kidney injury
prog: mortality remains considerable even with modern therapy | early surgery improves outcome in selected patients
fu: weekly blood count, renal function and C-reactive protein while on antibiotics; repeat echocardiography at the end of therapy; dental assessment
teach: keep the intravenous line clean and dry; brush teeth twice a day; ask about antibiotics before dental work
warn: fever; sudden weakness or confusion; breathlessness
course: Three sets of blood cultures grew viridans streptococci, and echocardiography confirmed a mitral vegetation. | Blood cultures cleared within three days of starting ceftriaxone. | No embolic event occurred, and the conduction intervals on the electrocardiogram stayed normal.
nurse: intravenous line is patent with a clean dressing; temperature is trending down; no new skin lesions seen; neurological checks are unchanged

# abdominal aortic aneurysm
field: vascular surgery
sex: male
age: 65-82
onset: several weeks; 2 months; 4 months
def: a focal dilation of the abdominal aorta to 3.0 cm or more
mech: degradation of elastin and collagen weakens the aortic wall | wall tension rises as the diameter increases, so that larger aneurysms expand faster and rupture more often
epi: it is several times more common in men than in women, and most cases are found by screening
risk: cigarette smoking; older age; male sex; a first-degree relative with an aneurysm; atherosclerotic disease elsewhere
sx: no symptoms at all; a vague awareness of abdominal pulsation; mild low back ache
signs: a pulsatile mass above the umbilicus; palpable popliteal pulses
neg: severe abdominal pain; syncope; leg pain
tests: abdominal ultrasonography => an aortic diameter of 3.0 cm or more => an infrarenal aortic diameter of {3.6:4.8} cm | computed tomography angiography => the extent of the aneurysm and its relation to the renal arteries => an infrarenal aneurysm that spares the renal arteries
ddx: renal colic; diverticulitis; lumbar spine disease
tx1: smoking cessation; ultrasound surveillance while the diameter is small; blood pressure control; atorvastatin
tx2: elective endovascular or open repair at about 5.5 cm in men; emergency repair for rupture
rx: atorvastatin = 40 mg by mouth at bedtime
comp: rupture with hemorrhagic shock; distal embolization; aortoenteric fistula
prog: rupture is fatal in most cases, whereas elective repair is safe in selected patients | small aneurysms usually grow by only a few millimeters a year
fu: repeat ultrasound in 12 months; vascular surgery referral; blood pressure review in 4 weeks
teach: stop smoking; keep every ultrasound appointment; tell brothers and sons about screening
warn: sudden abdominal or back pain; fainting; a cold painful foot
img: Ultrasound of the abdominal aorta => The infrarenal aorta is dilated with a smooth fusiform contour; A thin rim of mural thrombus is present; The iliac arteries are of normal caliber => Fusiform infrarenal abdominal aortic aneurysm below the threshold for elective repair

# asthma
field: pulmonology
age: 14-60
vitals: tachypneic
onset: 3 days; 1 week; 2 weeks
def: a chronic inflammatory airway disease with variable airflow limitation and bronchial hyperresponsiveness
mech: type 2 inflammation with eosinophils and interleukin-driven mucus production is common | airway smooth muscle contracts excessively in response to allergens, cold air or exercise | repeated inflammation can remodel the airway wall
epi: it often begins in childhood and affects people of every age
risk: a personal history of eczema or allergic rhinitis; a family history of asthma; exposure to tobacco smoke; occupational dusts; early-life viral infection
sx: episodic wheeze; chest tightness; cough at night; shortness of breath with exercise; symptoms triggered by cold air
signs: diffuse expiratory wheeze; a prolonged expiratory phase; a normal examination between attacks
neg: fever; hemoptysis; leg swelling
tests: spirometry => airflow obstruction with an increase in FEV1 of at least 12% and 200 mL after a bronchodilator => FEV1 {62:78}% of predicted, rising by {14:22}% after the bronchodilator | peak expiratory flow monitoring => variation of more than 10% over the day => morning dips of {18:28}% | blood eosinophil count => an elevated count in type 2 disease => {380:720} cells per microliter
ddx: chronic obstructive pulmonary disease; vocal cord dysfunction; heart failure; bronchiectasis
tx1: an inhaled corticosteroid; budesonide-formoterol used both for relief and for maintenance; albuterol for quick relief; trigger avoidance
tx2: addition of tiotropium; montelukast in selected patients; biologic therapy for severe type 2 asthma; a short course of prednisone for exacerbations
rx: budesonide-formoterol = 160/4.5 mcg, two inhalations twice daily | albuterol = 90 mcg, two inhalations every 4 hours as needed | prednisone = 40 mg by mouth once daily for 5 days
comp: severe exacerbation; respiratory failure; fixed airflow obstruction; steroid side effects
prog: most patients achieve good control with inhaled therapy and correct technique | poor adherence is a common reason for loss of control
fu: clinic review in 4 weeks with inhaler technique check; spirometry once a year; written action plan
teach: rinse the mouth after using the steroid inhaler; use a spacer when advised; carry the reliever inhaler at all times
warn: difficulty speaking in full sentences; relief that lasts less than four hours; blue lips

# chronic obstructive pulmonary disease
field: pulmonology
age: 52-84
vitals: tachypneic hypoxic
onset: 4 days; 1 week; 10 days
def: a progressive lung disease with persistent airflow limitation that is not fully reversible
mech: inhaled smoke and particles cause small airway inflammation and mucus gland enlargement | destruction of alveolar walls reduces elastic recoil and traps air | ventilation-perfusion mismatch leads to hypoxemia, and advanced disease may retain carbon dioxide
epi: smoking is the main cause in high-income countries, while indoor biomass smoke is important elsewhere
risk: cigarette smoking; occupational dusts; indoor biomass smoke; alpha-1 antitrypsin deficiency; recurrent childhood respiratory infection
sx: progressive exertional breathlessness; chronic productive cough; wheeze; increased sputum volume; fatigue
signs: hyperinflated chest; distant breath sounds; prolonged expiration with wheeze; use of accessory muscles
neg: chest pain; hemoptysis; orthopnea
tests: spirometry => a post-bronchodilator ratio of FEV1 to FVC below 0.70 => FEV1/FVC {0.42:0.62} after the bronchodilator, FEV1 {38:58}% of predicted | chest radiography => hyperinflation with flattened diaphragms => hyperinflated lungs without consolidation | arterial blood gas => hypoxemia, with hypercapnia in advanced disease => pH {7.36:7.40}, PaCO2 {46:54} mmHg
ddx: asthma; heart failure; bronchiectasis; lung cancer
tx1: smoking cessation; a long-acting muscarinic antagonist such as tiotropium; albuterol as needed; pulmonary rehabilitation; vaccination
tx2: a long-acting beta agonist in combination; an inhaled corticosteroid when eosinophils are raised; prednisone and an antibiotic such as azithromycin for exacerbations; long-term oxygen for severe resting hypoxemia
rx: tiotropium = 18 mcg inhaled once daily | albuterol = 90 mcg, two inhalations every 4 hours as needed | prednisone = 40 mg by mouth once daily for 5 days | azithromycin = 500 mg by mouth once daily for 3 days
comp: acute exacerbation; respiratory failure; cor pulmonale; pneumothorax; weight loss and muscle wasting
prog: stopping smoking slows the decline in lung function at any stage | frequent exacerbations predict faster decline
fu: clinic visit in 2 weeks; spirometry in 3 months; referral to pulmonary rehabilitation
teach: practice pursed-lip breathing; use the inhaler exactly as shown; keep vaccinations up to date
warn: increasing breathlessness; a change in sputum color; confusion or drowsiness
img: Chest radiograph, two views => The lungs are hyperinflated with flattening of both hemidiaphragms; The retrosternal air space is increased; No consolidation, effusion or pneumothorax is identified; The heart is narrow and normal in size => Hyperinflation in keeping with chronic obstructive pulmonary disease, without acute consolidation
course: Treatment with nebulized albuterol, prednisone and azithromycin eased the work of breathing within 48 hours. | Oxygen was titrated to a saturation of 88 to 92%. | Inhaler technique was corrected at the bedside by the respiratory therapist.
nurse: oxygen is kept at 2 liters per minute with saturation between 88 and 92%; speaking in full sentences; expectorating less sputum than yesterday; resting upright with pursed-lip breathing

# community-acquired pneumonia
short: pneumonia
field: pulmonology
age: 24-86
vitals: febrile tachycardic tachypneic hypoxic
onset: 3 days; 4 days; 6 days
def: acute infection of the lung parenchyma acquired outside the hospital
mech: organisms reach the lower airways by microaspiration or inhalation and overwhelm local defenses | alveoli fill with inflammatory exudate, which produces consolidation and impairs gas exchange | Streptococcus pneumoniae is the most frequently identified bacterial cause, and respiratory viruses are also common
epi: it is a leading infectious cause of hospital admission and death in older adults
risk: older age; cigarette smoking; chronic lung disease; heavy alcohol use; impaired swallowing; immunosuppression
sx: cough with purulent sputum; fever and chills; shortness of breath; pleuritic chest pain; loss of appetite
signs: bronchial breath sounds; coarse crackles over the affected lobe; dullness to percussion; increased vocal resonance
neg: hemoptysis; leg swelling; recent travel
tests: chest radiography => a new lobar or patchy infiltrate => right lower lobe consolidation | complete blood count => leukocytosis with neutrophilia => white cell count {13.2:18.8} x 10^9/L | procalcitonin => elevation in bacterial infection => {0.8:4.6} ng/mL
ddx: acute bronchitis; pulmonary embolism; heart failure; lung cancer with obstruction
tx1: amoxicillin for healthy outpatients; ceftriaxone plus azithromycin for hospitalized patients; fluids and antipyretics; oxygen when saturation is low
tx2: doxycycline for patients who cannot take beta-lactams; drainage of a complicated effusion; broader antibiotics when resistant organisms are likely
rx: ceftriaxone = 1 g intravenously once daily | azithromycin = 500 mg once daily | acetaminophen = 650 mg by mouth every 6 hours as needed
comp: parapneumonic effusion; empyema; sepsis; respiratory failure; lung abscess
prog: most patients improve within three days of starting treatment | radiographic clearing often lags behind clinical recovery by several weeks
fu: clinic visit in 1 week; repeat chest radiograph in 6 weeks for smokers and patients over 50; pneumococcal vaccination
teach: finish the antibiotic course; drink plenty of fluids; rest and return to activity gradually
warn: worsening breathlessness; confusion; fever that returns after improving
img: Chest radiograph, two views => There is airspace consolidation in the right lower lobe with air bronchograms; A small right parapneumonic effusion is present; The left lung is clear; Heart size is normal => Right lower lobe pneumonia with a small effusion
course: Intravenous ceftriaxone and azithromycin were started within the first hours of arrival. | Fever resolved by the third day, and oxygen was weaned to room air. | Blood cultures remained negative.
nurse: coughing effectively with small amounts of yellow sputum; oxygen weaned from 3 to 1 liter per minute; oral intake is improving; incentive spirometer used every hour while awake

# pulmonary tuberculosis
short: tuberculosis
field: infectious diseases
age: 20-70
vitals: lowfever
onset: 5 weeks; 2 months; 3 months
def: infection of the lungs by Mycobacterium tuberculosis that causes progressive tissue destruction
mech: inhaled bacilli are taken up by alveolar macrophages and contained within granulomas | reactivation occurs when cell-mediated immunity weakens | caseous necrosis may liquefy and form cavities that harbor large numbers of bacilli
epi: about a quarter of the world population is estimated to have been infected, and only a minority ever become ill
risk: close contact with an infectious case; HIV infection; treatment with tumor necrosis factor inhibitors; crowded living conditions; malnutrition; diabetes mellitus
sx: cough for more than three weeks; night sweats; weight loss; evening fever; blood-streaked sputum
signs: crackles over the upper lung zones; a thin body habitus; enlarged cervical lymph nodes
neg: wheeze; leg swelling; recent surgery
tests: sputum microscopy and culture => acid-fast bacilli and growth of Mycobacterium tuberculosis => acid-fast bacilli seen, culture pending | nucleic acid amplification test => detection of bacterial DNA and rifampin resistance markers => Mycobacterium tuberculosis detected, no rifampin resistance | chest radiography => upper lobe infiltrates with cavitation => a cavitating infiltrate in the right upper lobe
ddx: lung cancer; nontuberculous mycobacterial infection; fungal pneumonia; lung abscess
tx1: isoniazid, rifampin, pyrazinamide and ethambutol for two months; isoniazid and rifampin for a further four months; directly observed therapy
tx2: specialist regimens for drug-resistant disease; corticosteroids only for selected forms such as meningitis
rx: isoniazid = 300 mg by mouth once daily | rifampin = 600 mg by mouth once daily | pyrazinamide = 1,500 mg by mouth once daily | ethambutol = 1,200 mg by mouth once daily
comp: massive hemoptysis; bronchiectasis; spread to meninges or bone; pleural effusion
prog: drug-susceptible disease is cured in the great majority of patients who complete treatment | interrupted treatment breeds drug resistance
fu: monthly sputum cultures until negative; liver enzyme checks; contact tracing through the public health service
teach: take every dose; cover the mouth when coughing; expect orange urine while taking rifampin
warn: yellow eyes; blurred vision; coughing up a large amount of blood
img: Chest radiograph, two views => There is a thick-walled cavity in the right upper lobe with surrounding nodular opacities; Mild volume loss of the right upper lobe is noted; The left lung is clear => Cavitary right upper lobe disease, highly suspicious for active tuberculosis

# obstructive sleep apnea
field: sleep medicine
age: 34-70
vitals: hypertensive
onset: 1 year; 2 years; 3 years
def: a sleep disorder with repeated collapse of the upper airway that interrupts breathing and fragments sleep
mech: pharyngeal muscle tone falls during sleep, and a narrow airway collapses on inspiration | each apnea ends with an arousal and a surge of sympathetic activity | intermittent hypoxemia contributes to hypertension and vascular disease
epi: it affects men more often than women until the menopause, after which the difference narrows
risk: obesity; a large neck circumference; male sex; a small lower jaw; evening alcohol or sedative use
sx: loud snoring; breathing pauses noticed by a bed partner; unrefreshing sleep; daytime sleepiness; morning headache
signs: a crowded oropharynx; a neck circumference above 43 cm; a body mass index above 30
neg: cataplexy; leg restlessness; orthopnea
tests: polysomnography => an apnea-hypopnea index of 5 or more events per hour => an apnea-hypopnea index of {18:46} events per hour | Epworth Sleepiness Scale => a score above 10 => a score of {12:18}
ddx: central sleep apnea; insufficient sleep; narcolepsy; hypothyroidism
tx1: continuous positive airway pressure; weight loss; avoidance of evening alcohol
tx2: a mandibular advancement device; positional therapy; upper airway surgery or hypoglossal nerve stimulation
comp: resistant hypertension; atrial fibrillation; road accidents due to sleepiness; insulin resistance
prog: regular use of positive airway pressure improves sleepiness within days | benefit is lost when treatment stops
fu: device download in 4 weeks; mask fitting session; blood pressure review
teach: use the device every night for the whole night; do not drive when sleepy; avoid sedatives at bedtime
warn: falling asleep while driving; chest pain; worsening morning headaches

# primary spontaneous pneumothorax
short: pneumothorax
field: pulmonology
age: 17-36
vitals: tachycardic
onset: 3 hours; 8 hours; 1 day
def: air in the pleural space that arises without trauma in a person without known lung disease
mech: rupture of a small apical bleb lets air leak into the pleural space | loss of negative pleural pressure lets the lung recoil and collapse | pressure that builds up with each breath produces tension and impairs venous return
epi: it occurs mainly in tall, slim young adults and more often in men
risk: cigarette smoking; tall thin build; male sex; a previous pneumothorax; Marfan syndrome
sx: sudden one-sided chest pain; pain worse on deep breathing; shortness of breath; dry cough
signs: reduced breath sounds on the affected side; hyperresonance to percussion; reduced chest expansion
neg: fever; trauma; calf pain
tests: chest radiography => a visible pleural line without lung markings beyond it => a {2:3} cm rim of air on the right | lung ultrasonography => absent lung sliding => absent lung sliding on the right
ddx: pulmonary embolism; musculoskeletal pain; pneumonia; acute pericarditis
tx1: observation for small, minimally symptomatic cases; needle aspiration for larger ones; oxygen when needed
tx2: a small-bore chest drain; surgical pleurodesis for recurrence; immediate decompression of tension
rx: acetaminophen = 650 mg by mouth every 6 hours as needed
comp: tension pneumothorax; recurrence; persistent air leak
prog: roughly a third of patients have a recurrence, most within the first year or two | stopping smoking lowers that risk
fu: repeat chest radiograph in 1 week; chest clinic visit in 2 weeks; smoking cessation support
teach: do not fly until the lung has fully expanded; avoid scuba diving; stop smoking
warn: worsening breathlessness; new chest pain; fainting
img: Chest radiograph, upright => A thin pleural line is visible at the right apex with absent lung markings beyond it; There is no mediastinal shift; The left lung is fully expanded => Moderate right pneumothorax without tension
"""
