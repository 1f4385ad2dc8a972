"""Conditions of the vessels, the pericardium and the valves (parsed by ``records.parse_conditions``)."""

TEXT = """
# deep vein thrombosis
field: hematology
age: 28-80
onset: 2 days; 4 days; 1 week
def: formation of a blood clot in a deep vein, most often of the leg or pelvis
mech: venous stasis, vessel wall injury and hypercoagulability together form the Virchow triad | clots
  usually begin in the valve pockets of the calf and may extend proximally | proximal clots are much more
  likely to embolize than clots confined to the calf
epi: about half of all cases follow recent hospitalization or surgery
risk: recent surgery; prolonged immobility; active cancer; estrogen-containing medication; inherited
  thrombophilia; obesity
sx: swelling of one leg; calf pain worse on standing; warmth of the leg; a feeling of heaviness in the leg
signs: calf circumference 3 cm greater than the other side; pitting edema of the affected leg; tenderness
  along the deep veins
neg: chest pain; shortness of breath; fever
tests: compression ultrasonography => a vein that does not collapse under probe pressure => noncompressible
  popliteal and distal femoral vein | D-dimer => an elevated concentration, with a normal result making
  thrombosis unlikely when pretest probability is low => {1200:3600} ng/mL
ddx: cellulitis; ruptured popliteal cyst; superficial thrombophlebitis; calf muscle tear
tx1: a direct oral anticoagulant such as apixaban; early walking; treatment for at least three months
tx2: low-molecular-weight heparin such as enoxaparin; warfarin when direct oral agents are unsuitable; an
  inferior vena cava filter when anticoagulation is contraindicated
rx: apixaban = 10 mg by mouth twice daily for 7 days, then 5 mg by mouth twice daily
comp: pulmonary embolism; post-thrombotic syndrome; recurrent thrombosis
prog: clots provoked by surgery recur less often than unprovoked clots | post-thrombotic symptoms affect up
  to half of patients with proximal clots
fu: clinic visit in 1 week; review of treatment length at 3 months; age-appropriate cancer screening
teach: keep walking; take the anticoagulant at the same times each day; tell every clinician and dentist
  about the anticoagulant
warn: sudden breathlessness; chest pain; heavy bleeding
img: Duplex ultrasound of the leg veins => The popliteal vein and distal femoral vein are distended and do
  not compress; Echogenic material is seen in the lumen without color flow; The common femoral vein is
  patent and compressible => Acute occlusive femoropopliteal deep vein thrombosis

# pulmonary embolism
field: pulmonology
age: 32-82
vitals: tachycardic hypoxic tachypneic
onset: 6 hours; 1 day; 2 days
def: obstruction of the pulmonary arteries by material that has traveled through the venous circulation,
  most often a clot from the leg veins
mech: mechanical obstruction raises pulmonary vascular resistance and strains the right ventricle |
  ventilated but unperfused lung creates dead space and widens the alveolar-arterial oxygen gradient | large
  emboli cause shock through acute right ventricular failure
epi: it is a leading preventable cause of death in hospital
risk: recent surgery; active cancer; prolonged travel or bed rest; previous venous thrombosis; estrogen
  therapy
sx: sudden shortness of breath; pleuritic chest pain; cough; a sense of apprehension; lightheadedness
signs: tachycardia; tachypnea; a loud pulmonary component of the second heart sound; unilateral calf
  swelling
neg: fever; purulent sputum; abdominal pain
tests: computed tomography pulmonary angiography => an intraluminal filling defect => filling defects in the
  right lower lobe segmental arteries | D-dimer => an elevated concentration => {1500:5200} ng/mL |
  electrocardiography => sinus tachycardia, sometimes with right heart strain => sinus tachycardia, no
  ischemic changes | cardiac troponin => elevation when the right ventricle is strained => within the
  reference range
ddx: pneumonia; acute coronary syndrome; pneumothorax; acute pericarditis
tx1: immediate anticoagulation; apixaban or another direct oral anticoagulant; supplemental oxygen
tx2: enoxaparin in patients with selected cancers; systemic thrombolysis with alteplase for persistent
  hypotension; catheter-directed therapy
rx: apixaban = 10 mg by mouth twice daily for 7 days, then 5 mg by mouth twice daily
comp: obstructive shock; pulmonary infarction; chronic thromboembolic pulmonary hypertension; recurrent
  embolism
prog: most deaths occur early, before treatment takes effect | breathlessness that persists beyond three
  months should prompt testing for chronic thromboembolic disease
fu: clinic visit in 1 week; reassessment at 3 months; decision on extended anticoagulation
teach: do not miss doses of the anticoagulant; stay active; report any bleeding
warn: worsening breathlessness; fainting; coughing up blood
img: CT pulmonary angiogram => Filling defects are present in the segmental branches of the right lower lobe
  pulmonary artery; The right ventricle is not dilated; There is a small peripheral wedge-shaped opacity in
  the right lower lobe; No pleural effusion is seen => Acute segmental pulmonary embolism without right
  heart strain
course: Anticoagulation was started in the emergency department, and the heart rate settled within a day. |
  Oxygen was stopped on the second day, with saturations above 94% on room air while walking. | Ultrasound
  of the legs showed no residual proximal clot.
nurse: oxygen weaned to room air; no bleeding from gums or injection sites; walked 50 meters with stable
  saturation

# peripheral artery disease
field: vascular medicine
age: 55-84
onset: 4 months; 8 months; 1 year
def: atherosclerotic narrowing of the arteries that supply the limbs, most often the legs
mech: exercise increases muscle oxygen demand beyond what the narrowed artery can deliver | severe disease
  reduces resting perfusion and impairs tissue healing | the same atherosclerotic process usually involves
  the coronary and carotid arteries
epi: its frequency rises with age, and smoking is the strongest modifiable risk factor
risk: cigarette smoking; diabetes mellitus; hypertension; hyperlipidemia; chronic kidney disease
sx: calf cramping when walking a fixed distance; relief of leg pain within minutes of standing still; cold
  feet; slow healing of minor foot wounds
signs: diminished pedal pulses; a femoral bruit; hair loss over the shins; pallor of the foot on elevation
neg: back pain; leg swelling; pain at rest
tests: ankle-brachial index => a ratio of 0.90 or less => {0.58:0.82} on the symptomatic side | duplex
  ultrasonography => a focal stenosis with increased flow velocity => a {60:80}% stenosis of the superficial
  femoral artery | fasting lipid profile => elevated low-density lipoprotein cholesterol => LDL cholesterol
  {122:168} mg/dL
ddx: lumbar spinal stenosis; venous claudication; hip osteoarthritis; peripheral neuropathy
tx1: smoking cessation; supervised exercise therapy; an antiplatelet drug such as clopidogrel; atorvastatin
tx2: cilostazol for limiting claudication; endovascular revascularization; surgical bypass
rx: clopidogrel = 75 mg by mouth once daily | atorvastatin = 80 mg by mouth at bedtime
comp: nonhealing ulcer; gangrene; limb loss; myocardial infarction; stroke
prog: few patients with claudication lose a limb, but many have coronary events | regular walking can double
  the pain-free distance
fu: vascular clinic in 3 months; repeat lipid profile in 8 weeks; foot check at every visit
teach: walk until moderate discomfort, rest, and start again; inspect both feet daily; stop smoking
warn: pain at rest in the foot; a new foot ulcer; a suddenly cold or numb leg

# acute pericarditis
field: cardiology
age: 20-52
onset: 1 day; 2 days; 4 days
def: acute inflammation of the pericardial sac that surrounds the heart
mech: most cases are presumed viral or idiopathic | inflamed pericardial layers rub together and irritate
  the adjacent epicardium | inflammation may produce fluid that accumulates as a pericardial effusion
epi: it accounts for about one in twenty emergency visits for chest pain that is not due to infarction
risk: a recent viral illness; autoimmune disease; recent cardiac surgery; advanced kidney failure
sx: sharp chest pain worse on lying flat; relief of the pain on sitting forward; pain with deep breathing;
  low-grade fever; recent cold-like symptoms
signs: a scratchy friction rub at the left sternal border; discomfort when lying supine
neg: leg swelling; exertional chest pressure; syncope
tests: electrocardiography => widespread concave ST elevation with PR depression => diffuse concave ST
  elevation with PR depression | C-reactive protein => an elevated concentration => {28:96} mg/L |
  echocardiography => normal function, sometimes with a small effusion => a trivial pericardial effusion
  with normal ventricular function
ddx: acute myocardial infarction; pulmonary embolism; pleurisy; costochondritis
tx1: ibuprofen or high-dose aspirin; colchicine for three months; restriction of strenuous exercise
tx2: low-dose prednisone when first-line drugs fail or are contraindicated; pericardiocentesis for tamponade
rx: ibuprofen = 600 mg by mouth three times daily with food | colchicine = 0.6 mg by mouth twice daily
comp: cardiac tamponade; recurrent pericarditis; constrictive pericarditis
prog: most cases resolve within two weeks | colchicine roughly halves the rate of recurrence
fu: clinic review in 1 week with repeat C-reactive protein; repeat echocardiography if an effusion was
  present
teach: avoid sports until symptoms and inflammatory markers settle; take ibuprofen with food; sit forward to
  ease the pain
warn: fainting; increasing breathlessness; return of chest pain

# infective endocarditis
field: infectious diseases
age: 30-78
vitals: febrile tachycardic
onset: 10 days; 2 weeks; 3 weeks
def: infection of the endocardial surface of the heart, usually involving a valve
mech: turbulent flow or foreign material damages the endothelium and allows platelets and fibrin to deposit
  | bacteria that enter the bloodstream adhere to the deposit and form a vegetation | fragments of
  vegetation break off and embolize to distant organs
epi: Staphylococcus aureus is now a leading cause in many hospitals
risk: a prosthetic heart valve; injection drug use; previous endocarditis; an intravascular device;
  degenerative valve disease
sx: fever and chills; night sweats; weight loss; fatigue; aching joints
signs: a new regurgitant murmur; splinter hemorrhages; tender fingertip nodules; conjunctival petechiae
neg: sore throat; diarrhea; neck stiffness
tests: blood cultures => sustained bacteremia with a typical organism => growth of viridans streptococci in
  three of three sets | transesophageal echocardiography => a mobile valvular vegetation => a mobile
  vegetation of {8:14} mm on the mitral valve | C-reactive protein => an elevated concentration => {84:190}
  mg/L
ddx: rheumatic fever; systemic lupus erythematosus; atrial myxoma; occult malignancy
tx1: prolonged intravenous antibiotics guided by culture; ceftriaxone for susceptible streptococci;
  vancomycin while awaiting culture results
tx2: valve surgery for heart failure, uncontrolled infection or large vegetations; removal of infected
  devices
rx: ceftriaxone = 2 g intravenously once daily
comp: heart failure from valve destruction; embolic stroke; perivalvular abscess; septic arthritis; kidney
  injury
prog: mortality remains considerable even with modern therapy | early surgery improves outcome in selected
  patients
fu: weekly blood count, renal function and C-reactive protein while on antibiotics; repeat echocardiography
  at the end of therapy; dental assessment
teach: keep the intravenous line clean and dry; brush teeth twice a day; ask about antibiotics before dental
  work
warn: fever; sudden weakness or confusion; breathlessness
course: Three sets of blood cultures grew viridans streptococci, and echocardiography confirmed a mitral
  vegetation. | Blood cultures cleared within three days of starting ceftriaxone. | No embolic event
  occurred, and the conduction intervals on the electrocardiogram stayed normal.
nurse: intravenous line is patent with a clean dressing; temperature is trending down; no new skin lesions
  seen; neurological checks are unchanged

# abdominal aortic aneurysm
field: vascular surgery
sex: male
age: 65-82
onset: several weeks; 2 months; 4 months
def: a focal dilation of the abdominal aorta to 3.0 cm or more
mech: degradation of elastin and collagen weakens the aortic wall | wall tension rises as the diameter
  increases, so that larger aneurysms expand faster and rupture more often
epi: it is several times more common in men than in women, and most cases are found by screening
risk: cigarette smoking; older age; male sex; a first-degree relative with an aneurysm; atherosclerotic
  disease elsewhere
sx: no symptoms at all; a vague awareness of abdominal pulsation; mild low back ache
signs: a pulsatile mass above the umbilicus; palpable popliteal pulses
neg: severe abdominal pain; syncope; leg pain
tests: abdominal ultrasonography => an aortic diameter of 3.0 cm or more => an infrarenal aortic diameter of
  {3.6:4.8} cm | computed tomography angiography => the extent of the aneurysm and its relation to the renal
  arteries => an infrarenal aneurysm that spares the renal arteries
ddx: renal colic; diverticulitis; lumbar spine disease
tx1: smoking cessation; ultrasound surveillance while the diameter is small; blood pressure control;
  atorvastatin
tx2: elective endovascular or open repair at about 5.5 cm in men; emergency repair for rupture
rx: atorvastatin = 40 mg by mouth at bedtime
comp: rupture with hemorrhagic shock; distal embolization; aortoenteric fistula
prog: rupture is fatal in most cases, whereas elective repair is safe in selected patients | small aneurysms
  usually grow by only a few millimeters a year
fu: repeat ultrasound in 12 months; vascular surgery referral; blood pressure review in 4 weeks
teach: stop smoking; keep every ultrasound appointment; tell brothers and sons about screening
warn: sudden abdominal or back pain; fainting; a cold painful foot
img: Ultrasound of the abdominal aorta => The infrarenal aorta is dilated with a smooth fusiform contour; A
  thin rim of mural thrombus is present; The iliac arteries are of normal caliber => Fusiform infrarenal
  abdominal aortic aneurysm below the threshold for elective repair
"""
