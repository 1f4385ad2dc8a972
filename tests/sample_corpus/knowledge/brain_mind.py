"""Conditions of the nervous system, mental health and the eye (parsed by ``records.parse_conditions``)."""

TEXT = """
# acute ischemic stroke
short: ischemic stroke
field: neurology
age: 54-86
vitals: hypertensive
onset: 1 hour; 2 hours; 3 hours
def: sudden loss of neurological function caused by interruption of blood flow to part of the brain
mech: an embolus from the heart or a large artery, or thrombosis in a small vessel, blocks flow | neurons in
  the ischemic core die within minutes, while the surrounding penumbra can still be saved | failure of
  energy-dependent ion pumps leads to cytotoxic edema
epi: ischemic strokes account for more than 80% of all strokes in most western countries
risk: hypertension; atrial fibrillation; diabetes mellitus; cigarette smoking; carotid artery stenosis;
  hyperlipidemia
sx: sudden weakness of one arm and leg; facial droop; slurred speech; difficulty finding words; unsteadiness
signs: right arm and leg weakness; right lower facial weakness; an extensor plantar response; nonfluent
  speech
neg: seizure; head injury; fever
tests: noncontrast head computed tomography => absence of hemorrhage, sometimes with early ischemic change
  => no hemorrhage, early loss of gray-white differentiation on the left | computed tomography angiography
  => an arterial occlusion => occlusion of the left middle cerebral artery | capillary glucose => a value
  that excludes hypoglycemia => {104:156} mg/dL
ddx: intracerebral hemorrhage; hypoglycemia; seizure with postictal weakness; migraine with aura
tx1: intravenous thrombolysis with alteplase within 4.5 hours of onset; mechanical thrombectomy for
  large-vessel occlusion; aspirin once hemorrhage has been excluded and thrombolysis is not planned
tx2: atorvastatin; blood pressure control after the acute phase; anticoagulation with apixaban when atrial
  fibrillation is the cause
rx: aspirin = 81 mg by mouth once daily | clopidogrel = 75 mg by mouth once daily | atorvastatin = 80 mg by
  mouth at bedtime
acute: none
comp: cerebral edema; hemorrhagic transformation; aspiration pneumonia; post-stroke depression; spasticity
prog: most recovery takes place in the first three months | care in a stroke unit improves survival and
  independence
fu: stroke clinic in 2 weeks; prolonged heart rhythm monitoring; outpatient physical and speech therapy
teach: call an ambulance at the first sign of weakness or speech trouble; take the tablets every day; check
  blood pressure at home
warn: new weakness; severe headache; trouble swallowing
img: MRI of the brain => There is restricted diffusion in the left middle cerebral artery territory; No
  hemorrhage is seen on susceptibility images; There is no midline shift => Acute left middle cerebral
  artery territory infarct without hemorrhage
course: Thrombectomy restored flow in the left middle cerebral artery, and repeat imaging after 24 hours
  showed no bleeding. | Swallowing was assessed on the first day, and a soft diet was advised. | Arm
  strength improved from 2 to 4 out of 5 during the stay.
nurse: neurological checks are stable; swallowing precautions are in place; turned every two hours with
  intact skin; answers questions with short phrases

# migraine without aura
short: migraine
field: neurology
age: 17-50
onset: 6 months; 1 year; 3 years
def: a recurrent headache disorder with attacks lasting 4 to 72 hours and associated nausea or sensitivity
  to light and sound
mech: activation of the trigeminovascular system releases calcitonin gene-related peptide | sensitization of
  central pain pathways makes ordinary stimuli painful | an inherited tendency toward neuronal
  hyperexcitability is common
epi: it is about three times as common in women as in men during the reproductive years
risk: female sex; a family history of migraine; irregular sleep; skipped meals; hormonal change
sx: throbbing one-sided headache; nausea; sensitivity to light; sensitivity to sound; worsening of pain with
  routine activity
signs: a normal neurological examination; scalp tenderness during the attack
neg: fever; weakness; sudden onset at peak intensity
tests: neurological examination => a normal result between attacks => normal, including the optic discs |
  headache diary => recurrent attacks with typical features => {4:8} headache days per month
ddx: tension-type headache; cluster headache; medication overuse headache; idiopathic intracranial
  hypertension
tx1: early use of ibuprofen or a similar drug; sumatriptan for moderate or severe attacks; regular sleep and
  meals
tx2: preventive treatment with propranolol, topiramate or amitriptyline; antibodies against calcitonin
  gene-related peptide; onabotulinumtoxinA for chronic migraine
rx: sumatriptan = 50 mg by mouth at onset, repeated once after 2 hours if needed | propranolol = 40 mg by
  mouth twice daily
comp: medication overuse headache; chronic migraine; time lost from work
prog: attacks often become less frequent after the age of fifty | limiting pain relievers to two days a week
  prevents medication overuse headache
fu: clinic review in 8 weeks with the diary; blood pressure check
teach: take the tablet early in the attack; keep regular sleep hours; write down triggers in a diary
warn: a sudden worst-ever headache; weakness or confusion; fever with neck stiffness

# epilepsy
field: neurology
age: 16-60
onset: 1 day; 3 days; 1 week
def: a brain disorder with an enduring tendency to generate unprovoked seizures
mech: an imbalance between excitation and inhibition lets neurons fire in abnormal synchrony | structural,
  genetic, infectious, metabolic and immune causes are recognized | focal seizures start in one hemisphere,
  whereas generalized seizures engage both from the start
epi: onset is most frequent in childhood and after the age of sixty
risk: previous head injury; stroke; central nervous system infection; a family history of epilepsy; a brain
  tumor
sx: sudden loss of awareness; stiffening followed by rhythmic jerking of the limbs; tongue biting; confusion
  after the event; muscle soreness
signs: a bite mark on the side of the tongue; a normal neurological examination after recovery
neg: palpitations before the event; chest pain; fever
tests: electroencephalography => interictal epileptiform discharges => sharp waves over the left temporal
  region | magnetic resonance imaging of the brain => a structural lesion in some patients => mesial
  temporal sclerosis on the left | serum glucose => a value that excludes hypoglycemia => {86:112} mg/dL
ddx: syncope; functional seizures; cardiac arrhythmia; transient ischemic attack
tx1: levetiracetam; lamotrigine; avoidance of sleep deprivation and alcohol excess
tx2: a second antiseizure drug; epilepsy surgery in selected drug-resistant cases; vagus nerve stimulation
rx: levetiracetam = 500 mg by mouth twice daily
comp: status epilepticus; injury; depression; sudden unexpected death in epilepsy
prog: about two thirds of patients become seizure free with medication | drug resistance is defined by
  failure of two suitable drugs
fu: neurology visit in 4 weeks; review of mood and seizure diary; discussion of driving rules
teach: do not drive until cleared; take showers rather than baths; do not stop the tablets abruptly
warn: a seizure lasting more than five minutes; repeated seizures; thoughts of self-harm

# Parkinson disease
field: neurology
age: 56-82
onset: 8 months; 1 year; 2 years
def: a neurodegenerative disorder in which slowness of movement is combined with rigidity or rest tremor
mech: dopaminergic neurons of the substantia nigra are lost | surviving neurons contain Lewy bodies rich in
  alpha-synuclein | reduced dopamine in the striatum disturbs the circuits that control movement
epi: it is the second most common neurodegenerative disease after Alzheimer disease
risk: older age; male sex; pesticide exposure; certain gene variants; a first-degree relative with the
  disease
sx: tremor of one hand at rest; slowness in dressing; small handwriting; reduced sense of smell; shuffling
  gait; constipation
signs: bradykinesia of finger tapping; cogwheel rigidity; reduced arm swing on one side; reduced facial
  expression
neg: early falls; hallucinations; visual loss
tests: supervised levodopa trial => clear clinical improvement => marked improvement in finger tapping after
  a test dose | dopamine transporter imaging => reduced striatal uptake => reduced uptake in the left
  putamen
ddx: essential tremor; drug-induced parkinsonism; progressive supranuclear palsy; normal pressure
  hydrocephalus
tx1: carbidopa-levodopa; exercise and physical therapy
tx2: a dopamine agonist such as pramipexole; rasagiline; deep brain stimulation for motor fluctuations
rx: carbidopa-levodopa = 25/100 mg by mouth three times daily
comp: dyskinesia; falls; dementia; swallowing difficulty; orthostatic hypotension
prog: the course is slow, and motor fluctuations develop after several years of levodopa | nonmotor symptoms
  strongly affect quality of life
fu: neurology visit in 8 weeks; physical therapy referral; review of sleep and mood
teach: take levodopa at the same times each day; keep exercising daily; rise slowly from bed
warn: repeated falls; hallucinations; choking on food

# relapsing-remitting multiple sclerosis
short: multiple sclerosis
field: neurology
age: 20-46
onset: 5 days; 1 week; 10 days
def: an immune-mediated disease of the central nervous system with relapses of demyelination disseminated in
  space and time
mech: autoreactive lymphocytes cross the blood-brain barrier and attack myelin | conduction fails in
  demyelinated axons and may recover with remyelination | axonal loss accumulates and explains permanent
  disability
epi: women are affected two to three times as often as men
risk: female sex; previous Epstein-Barr virus infection; low vitamin D; cigarette smoking; living far from
  the equator; a first-degree relative with the disease
sx: blurred vision in one eye with pain on movement; numbness of the legs; unsteady gait; fatigue; symptoms
  worse in hot weather
signs: a relative afferent pupillary defect; brisk leg reflexes; reduced vibration sense in the feet
neg: fever; seizure; loss of consciousness
tests: magnetic resonance imaging of brain and spinal cord => periventricular and spinal demyelinating
  lesions => {6:12} periventricular lesions, one of which enhances | cerebrospinal fluid analysis =>
  oligoclonal bands not found in serum => oligoclonal bands present
ddx: neuromyelitis optica spectrum disorder; vitamin B12 deficiency; neurosarcoidosis; migraine
tx1: high-dose intravenous methylprednisolone for disabling relapses; early disease-modifying therapy such
  as ocrelizumab
tx2: natalizumab for highly active disease; symptomatic treatment of spasticity and bladder problems
rx: methylprednisolone = 1 g intravenously once daily for 3 days
comp: gait disability; bladder dysfunction; cognitive impairment; depression
prog: early effective therapy lowers the relapse rate and delays disability | many patients convert to a
  secondary progressive course after years
fu: neurology visit in 4 weeks; repeat magnetic resonance imaging in 6 months; vaccination review before
  immunotherapy
teach: plan rest periods during the day; avoid overheating; stop smoking
warn: new weakness; loss of vision; inability to pass urine
img: MRI of the brain with contrast => Multiple ovoid hyperintense lesions lie perpendicular to the lateral
  ventricles; One lesion in the left frontal white matter enhances; There is no mass effect => Demyelinating
  lesions disseminated in space and time, consistent with multiple sclerosis

# Alzheimer disease
field: geriatrics
age: 66-88
informant: family
onset: 1 year; 18 months; 2 years
def: a neurodegenerative disease that causes gradual loss of memory and other cognitive functions
mech: amyloid-beta plaques accumulate outside neurons | hyperphosphorylated tau forms neurofibrillary
  tangles inside neurons | loss of synapses and cholinergic neurons parallels the cognitive decline
epi: it is the most common cause of dementia
risk: older age; the APOE epsilon 4 allele; low educational attainment; untreated hearing loss; hypertension
  in midlife
sx: forgetting recent conversations; repeating questions; getting lost on familiar routes; trouble managing
  money; word-finding difficulty
signs: impaired delayed recall; difficulty copying intersecting figures; a normal gait
neg: fluctuating alertness; visual hallucinations; tremor
tests: Montreal Cognitive Assessment => a score below 26 of 30 => {14:20} of 30, with poor delayed recall |
  magnetic resonance imaging of the brain => hippocampal atrophy => symmetrical hippocampal atrophy |
  thyroid-stimulating hormone => a normal result => {1.1:3.6} mIU/L
ddx: vascular dementia; dementia with Lewy bodies; depression; normal pressure hydrocephalus; delirium
tx1: donepezil; caregiver education and support; treatment of hearing and vision problems
tx2: memantine in moderate to severe disease; structured daily activity; anti-amyloid antibodies in
  carefully selected early disease
rx: donepezil = 5 mg by mouth once daily at bedtime
comp: wandering; malnutrition; falls; caregiver exhaustion; aspiration pneumonia
prog: average survival after diagnosis is roughly four to eight years, with wide variation | medication
  offers modest symptomatic benefit
fu: memory clinic in 3 months; home safety assessment; advance care planning visit
teach: keep a steady daily routine; label drawers and doors at home; take breaks as a caregiver
warn: sudden worsening of confusion; refusal to eat or drink; a fall with injury

# acute bacterial meningitis
short: bacterial meningitis
field: infectious diseases
age: 18-68
vitals: febrile tachycardic
onset: 12 hours; 1 day; 2 days
def: bacterial infection of the membranes and fluid that surround the brain and spinal cord
mech: bacteria reach the bloodstream from the nasopharynx and cross the blood-brain barrier | multiplication
  in cerebrospinal fluid releases cell wall products that drive inflammation | brain swelling and raised
  intracranial pressure threaten life
epi: Streptococcus pneumoniae and Neisseria meningitidis cause most adult cases
risk: recent sinus or ear infection; absence of a functioning spleen; skull base fracture; crowded
  accommodation; age over 60
sx: severe headache; high fever; neck stiffness; sensitivity to light; confusion
signs: nuchal rigidity; pain on straightening the flexed knee; drowsiness
neg: recent head injury; ear discharge; seizure
tests: cerebrospinal fluid analysis => many neutrophils, high protein and low glucose => {1200:4800} white
  cells per microliter, glucose {14:32} mg/dL | blood cultures => growth of the causative organism => growth
  of Streptococcus pneumoniae | head computed tomography => a normal result when done to exclude a mass =>
  no mass effect
ddx: viral meningitis; herpes encephalitis; subarachnoid hemorrhage; brain abscess
tx1: immediate ceftriaxone with vancomycin; dexamethasone with or just before the first antibiotic dose
tx2: addition of ampicillin for people over 50 or with weakened immunity; intensive care for raised
  intracranial pressure
rx: ceftriaxone = 2 g intravenously every 12 hours | vancomycin = 15 mg/kg intravenously every 12 hours |
  dexamethasone = 10 mg intravenously every 6 hours for 4 days
home: none
comp: hearing loss; seizures; hydrocephalus; septic shock
prog: delay in antibiotic treatment raises mortality | hearing should be tested before or soon after
  discharge
fu: hearing test in 2 weeks; infectious diseases clinic in 2 weeks; vaccination review
teach: rest and return to work gradually; report any change in hearing; tell close contacts that they may
  need preventive treatment
warn: return of fever; worsening headache; seizure
course: Antibiotics and dexamethasone were given within 40 minutes of arrival, before lumbar puncture was
  completed. | Streptococcus pneumoniae grew in blood and spinal fluid, and vancomycin was stopped once
  sensitivity to ceftriaxone was known. | Mental state returned to normal by the fourth day.
nurse: room lights are dimmed for comfort; alert and oriented on hourly checks; headache is 3 out of 10;
  droplet precautions were lifted after 24 hours of antibiotics

# major depressive disorder
field: psychiatry
age: 19-68
onset: 4 weeks; 2 months; 3 months
def: a mood disorder with at least two weeks of low mood or loss of interest together with other symptoms
  that impair function
mech: genetic vulnerability interacts with stressful life events | altered signaling in monoamine systems
  and in frontolimbic circuits has been described | stress hormone regulation and sleep are often disturbed
epi: it is a leading cause of disability worldwide
risk: previous depression; a family history of mood disorder; chronic illness; bereavement or unemployment;
  childhood adversity
sx: low mood on most days; loss of interest in usual activities; poor sleep with early waking; poor
  concentration; low energy; reduced appetite
signs: slowed speech; a flat affect; poor eye contact
neg: hallucinations; periods of elevated mood; thoughts of self-harm
tests: Patient Health Questionnaire-9 => a score of 10 or more => a score of {13:19} | thyroid-stimulating
  hormone => a normal result => {1.1:3.2} mIU/L | complete blood count => a normal result => hemoglobin
  {13.0:14.6} g/dL
ddx: bipolar disorder; hypothyroidism; adjustment disorder; alcohol use disorder
tx1: cognitive behavioral therapy; a selective serotonin reuptake inhibitor such as sertraline or
  escitalopram; regular exercise
tx2: a switch to another class such as venlafaxine; augmentation strategies; electroconvulsive therapy for
  severe illness
rx: sertraline = 50 mg by mouth once daily in the morning
comp: suicide; substance misuse; loss of work; worse outcome of physical illness
prog: about half of people who recover have a further episode | treatment should continue for at least six
  months after recovery
fu: clinic visit in 2 weeks; repeat questionnaire in 6 weeks; safety plan review
teach: expect benefit after two to four weeks; do not stop the tablets suddenly; plan one pleasant activity
  each day
warn: thoughts of self-harm; marked agitation; unusually high energy with little sleep

# generalized anxiety disorder
field: psychiatry
age: 19-60
onset: 7 months; 1 year; 2 years
def: a disorder of excessive, hard-to-control worry on most days for at least six months
mech: heightened activity of the amygdala and reduced prefrontal control have been described | intolerance
  of uncertainty keeps worry going | muscle tension and sleep disturbance reinforce the cycle
epi: women are diagnosed about twice as often as men
risk: female sex; a family history of anxiety; chronic physical illness; early life stress
sx: constant worry about everyday matters; restlessness; muscle tension; difficulty falling asleep;
  irritability; trouble concentrating
signs: a fidgety manner; tense neck muscles; a normal thyroid examination
neg: panic attacks; weight loss; thoughts of self-harm
tests: Generalized Anxiety Disorder-7 scale => a score of 10 or more => a score of {12:18} |
  thyroid-stimulating hormone => a normal result => {1.0:3.1} mIU/L
ddx: hyperthyroidism; depression; excess caffeine intake; panic disorder
tx1: cognitive behavioral therapy; escitalopram or another selective serotonin reuptake inhibitor; reduction
  of caffeine
tx2: buspirone; venlafaxine; relaxation training
rx: escitalopram = 10 mg by mouth once daily | buspirone = 7.5 mg by mouth twice daily
pick: 1
comp: depression; alcohol misuse; chronic insomnia
prog: the course is often chronic and fluctuating | combined psychological and drug treatment helps most
  people
fu: clinic visit in 4 weeks; repeat scale in 8 weeks
teach: practice slow breathing twice a day; set aside a fixed worry time; cut down on coffee
warn: thoughts of self-harm; severe agitation; inability to work or sleep

# primary open-angle glaucoma
short: open-angle glaucoma
field: ophthalmology
age: 48-84
onset: several months; 1 year; 2 years
def: a chronic optic neuropathy with characteristic cupping of the disc and visual field loss in an eye with
  an open drainage angle
mech: reduced outflow through the trabecular meshwork raises intraocular pressure | retinal ganglion cell
  axons are damaged at the optic nerve head | damage may progress even when pressure is within the usual
  range
epi: it is a leading cause of irreversible blindness worldwide
risk: raised intraocular pressure; older age; a family history of glaucoma; African ancestry; marked myopia;
  long-term steroid eye drops
sx: no symptoms until late; bumping into objects at the side; difficulty seeing in dim light; missing words
  at the edge of the page
signs: an enlarged cup of the optic disc; a white quiet eye; a normal pupil reaction
neg: eye pain; halos around lights; redness
tests: tonometry => raised intraocular pressure in most patients => {24:31} mmHg in each eye | automated
  perimetry => an arc-shaped field defect => superior arcuate defect in the right eye | optical coherence
  tomography => thinning of the retinal nerve fiber layer => inferior thinning on the right
ddx: ocular hypertension; chronic angle-closure glaucoma; optic nerve compression
tx1: latanoprost eye drops; selective laser trabeculoplasty
tx2: timolol eye drops; combined drops; trabeculectomy when pressure remains too high
rx: latanoprost = one drop in each eye at bedtime
comp: irreversible visual field loss; blindness
prog: lost vision cannot be restored, but treatment slows progression | lifelong monitoring is needed
fu: pressure check in 6 weeks; visual field test in 6 months; screening of first-degree relatives
teach: use the drops every night; press on the inner corner of the eye for one minute after the drop; bring
  the drops to every visit
warn: sudden eye pain; sudden loss of vision; marked redness
"""
