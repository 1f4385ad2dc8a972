"""Conditions of the lungs and the airways (parsed by ``records.parse_conditions``)."""

TEXT = """
# asthma
field: pulmonology
age: 14-60
vitals: tachypneic
onset: 3 days; 1 week; 2 weeks
def: a chronic inflammatory airway disease with variable airflow limitation and bronchial
  hyperresponsiveness
mech: type 2 inflammation with eosinophils and interleukin-driven mucus production is common | airway smooth
  muscle contracts excessively in response to allergens, cold air or exercise | repeated inflammation can
  remodel the airway wall
epi: it often begins in childhood and affects people of every age
risk: a personal history of eczema or allergic rhinitis; a family history of asthma; exposure to tobacco
  smoke; occupational dusts; early-life viral infection
sx: episodic wheeze; chest tightness; cough at night; shortness of breath with exercise; symptoms triggered
  by cold air
signs: diffuse expiratory wheeze; a prolonged expiratory phase; a slightly hyperinflated chest
neg: fever; hemoptysis; leg swelling
tests: spirometry => airflow obstruction with an increase in FEV1 of at least 12% and 200 mL after a
  bronchodilator => FEV1 {62:78}% of predicted, rising by {14:22}% after the bronchodilator | peak
  expiratory flow monitoring => variation of more than 10% over the day => morning dips of {18:28}% | blood
  eosinophil count => an elevated count in type 2 disease => {380:720} cells per microliter
ddx: chronic obstructive pulmonary disease; vocal cord dysfunction; heart failure; bronchiectasis
tx1: an inhaled corticosteroid; budesonide-formoterol used both for relief and for maintenance; albuterol
  for quick relief; trigger avoidance
tx2: addition of tiotropium; montelukast in selected patients; biologic therapy for severe type 2 asthma; a
  short course of prednisone for exacerbations
rx: budesonide-formoterol = 160/4.5 mcg, two inhalations twice daily | albuterol = 90 mcg, two inhalations
  every 4 hours as needed | prednisone = 40 mg by mouth once daily for 5 days
comp: severe exacerbation; respiratory failure; fixed airflow obstruction; steroid side effects
prog: most patients achieve good control with inhaled therapy and correct technique | poor adherence is a
  common reason for loss of control
fu: clinic review in 4 weeks with inhaler technique check; spirometry once a year; written action plan
teach: rinse the mouth after using the steroid inhaler; use a spacer when advised; carry the reliever
  inhaler at all times
warn: difficulty speaking in full sentences; relief that lasts less than four hours; blue lips

# chronic obstructive pulmonary disease
field: pulmonology
age: 52-84
vitals: tachypneic hypoxic
onset: 4 days; 1 week; 10 days
def: a progressive lung disease with persistent airflow limitation that is not fully reversible
mech: inhaled smoke and particles cause small airway inflammation and mucus gland enlargement | destruction
  of alveolar walls reduces elastic recoil and traps air | ventilation-perfusion mismatch leads to
  hypoxemia, and advanced disease may retain carbon dioxide
epi: smoking is the main cause in high-income countries, while indoor biomass smoke is important elsewhere
risk: cigarette smoking; occupational dusts; indoor biomass smoke; alpha-1 antitrypsin deficiency; recurrent
  childhood respiratory infection
sx: progressive exertional breathlessness; chronic productive cough; wheeze; increased sputum volume;
  fatigue
signs: hyperinflated chest; distant breath sounds; prolonged expiration with wheeze; use of accessory
  muscles
neg: chest pain; hemoptysis; orthopnea
tests: spirometry => a post-bronchodilator ratio of FEV1 to FVC below 0.70 => FEV1/FVC {0.42:0.62} after the
  bronchodilator, FEV1 {38:58}% of predicted | chest radiography => hyperinflation with flattened diaphragms
  => hyperinflated lungs without consolidation | arterial blood gas => hypoxemia, with hypercapnia in
  advanced disease => pH {7.36:7.40}, PaCO2 {46:54} mmHg
ddx: asthma; heart failure; bronchiectasis; lung cancer
tx1: smoking cessation; a long-acting muscarinic antagonist such as tiotropium; albuterol as needed;
  pulmonary rehabilitation; vaccination
tx2: a long-acting beta agonist in combination; an inhaled corticosteroid when eosinophils are raised;
  prednisone and an antibiotic such as azithromycin for exacerbations; long-term oxygen for severe resting
  hypoxemia
rx: tiotropium = 18 mcg inhaled once daily | albuterol = 90 mcg, two inhalations every 4 hours as needed |
  prednisone = 40 mg by mouth once daily for 5 days | azithromycin = 500 mg by mouth once daily for 3 days
comp: acute exacerbation; respiratory failure; cor pulmonale; pneumothorax; weight loss and muscle wasting
prog: stopping smoking slows the decline in lung function at any stage | frequent exacerbations predict
  faster decline
fu: clinic visit in 2 weeks; spirometry in 3 months; referral to pulmonary rehabilitation
teach: practice pursed-lip breathing; use the inhaler exactly as shown; keep vaccinations up to date
warn: increasing breathlessness; a change in sputum color; confusion or drowsiness
img: Chest radiograph, two views => The lungs are hyperinflated with flattening of both hemidiaphragms; The
  retrosternal air space is increased; No consolidation, effusion or pneumothorax is identified; The heart
  is narrow and normal in size => Hyperinflation in keeping with chronic obstructive pulmonary disease,
  without acute consolidation
course: Treatment with nebulized albuterol, prednisone and azithromycin eased the work of breathing within
  48 hours. | Oxygen was titrated to a saturation of 88 to 92%. | Inhaler technique was corrected at the
  bedside by the respiratory therapist.
nurse: oxygen is kept at 2 liters per minute with saturation between 88 and 92%; speaking in full sentences;
  expectorating less sputum than yesterday; resting upright with pursed-lip breathing

# community-acquired pneumonia
short: pneumonia
field: pulmonology
age: 24-86
vitals: febrile tachycardic tachypneic hypoxic
onset: 3 days; 4 days; 6 days
def: acute infection of the lung parenchyma acquired outside the hospital
mech: organisms reach the lower airways by microaspiration or inhalation and overwhelm local defenses |
  alveoli fill with inflammatory exudate, which produces consolidation and impairs gas exchange |
  Streptococcus pneumoniae is the most frequently identified bacterial cause, and respiratory viruses are
  also common
epi: it is a leading infectious cause of hospital admission and death in older adults
risk: older age; cigarette smoking; chronic lung disease; heavy alcohol use; impaired swallowing;
  immunosuppression
sx: cough with purulent sputum; fever and chills; shortness of breath; pleuritic chest pain; loss of
  appetite
signs: bronchial breath sounds; coarse crackles over the affected lobe; dullness to percussion; increased
  vocal resonance
neg: hemoptysis; leg swelling; recent travel
tests: chest radiography => a new lobar or patchy infiltrate => right lower lobe consolidation | complete
  blood count => leukocytosis with neutrophilia => white cell count {13.2:18.8} x 10^9/L | procalcitonin =>
  elevation in bacterial infection => {0.8:4.6} ng/mL
ddx: acute bronchitis; pulmonary embolism; heart failure; lung cancer with obstruction
tx1: amoxicillin for healthy outpatients; ceftriaxone plus azithromycin for hospitalized patients; fluids
  and antipyretics; oxygen when saturation is low
tx2: doxycycline for patients who cannot take beta-lactams; drainage of a complicated effusion; broader
  antibiotics when resistant organisms are likely
rx: ceftriaxone = 1 g intravenously once daily | azithromycin = 500 mg once daily | acetaminophen = 650 mg
  by mouth every 6 hours as needed
home: azithromycin; acetaminophen
comp: parapneumonic effusion; empyema; sepsis; respiratory failure; lung abscess
prog: most patients improve within three days of starting treatment | radiographic clearing often lags
  behind clinical recovery by several weeks
fu: clinic visit in 1 week; repeat chest radiograph in 6 weeks for smokers and patients over 50;
  pneumococcal vaccination
teach: finish the antibiotic course; drink plenty of fluids; rest and return to activity gradually
warn: worsening breathlessness; confusion; fever that returns after improving
img: Chest radiograph, two views => There is airspace consolidation in the right lower lobe with air
  bronchograms; A small right parapneumonic effusion is present; The left lung is clear; Heart size is
  normal => Right lower lobe pneumonia with a small effusion
course: Intravenous ceftriaxone and azithromycin were started within the first hours of arrival. | Fever
  resolved by the third day, and oxygen was weaned to room air. | Blood cultures remained negative.
nurse: coughing effectively with small amounts of yellow sputum; oxygen weaned from 3 to 1 liter per minute;
  oral intake is improving; incentive spirometer used every hour while awake

# pulmonary tuberculosis
short: tuberculosis
field: infectious diseases
age: 20-70
vitals: lowfever
onset: 5 weeks; 2 months; 3 months
def: infection of the lungs by Mycobacterium tuberculosis that causes progressive tissue destruction
mech: inhaled bacilli are taken up by alveolar macrophages and contained within granulomas | reactivation
  occurs when cell-mediated immunity weakens | caseous necrosis may liquefy and form cavities that harbor
  large numbers of bacilli
epi: about a quarter of the world population is estimated to have been infected, and only a minority ever
  become ill
risk: close contact with an infectious case; HIV infection; treatment with tumor necrosis factor inhibitors;
  crowded living conditions; malnutrition; diabetes mellitus
sx: persistent cough; night sweats; weight loss; evening fever; blood-streaked sputum
signs: crackles over the upper lung zones; a thin body habitus; enlarged cervical lymph nodes
neg: wheeze; leg swelling; recent surgery
tests: sputum microscopy and culture => acid-fast bacilli and growth of Mycobacterium tuberculosis =>
  acid-fast bacilli seen, culture pending | nucleic acid amplification test => detection of bacterial DNA
  and rifampin resistance markers => Mycobacterium tuberculosis detected, no rifampin resistance | chest
  radiography => upper lobe infiltrates with cavitation => a cavitating infiltrate in the right upper lobe
ddx: lung cancer; nontuberculous mycobacterial infection; fungal pneumonia; lung abscess
tx1: isoniazid, rifampin, pyrazinamide and ethambutol for two months; isoniazid and rifampin for a further
  four months; directly observed therapy
tx2: specialist regimens for drug-resistant disease; corticosteroids only for selected forms such as
  meningitis
rx: isoniazid = 300 mg by mouth once daily | rifampin = 600 mg by mouth once daily | pyrazinamide = 1,500 mg
  by mouth once daily | ethambutol = 1,200 mg by mouth once daily
comp: massive hemoptysis; bronchiectasis; spread to meninges or bone; pleural effusion
prog: drug-susceptible disease is cured in the great majority of patients who complete treatment |
  interrupted treatment breeds drug resistance
fu: monthly sputum cultures until negative; liver enzyme checks; contact tracing through the public health
  service
teach: take every dose; cover the mouth when coughing; expect orange urine while taking rifampin
warn: yellow eyes; blurred vision; coughing up a large amount of blood
img: Chest radiograph, two views => There is a thick-walled cavity in the right upper lobe with surrounding
  nodular opacities; Mild volume loss of the right upper lobe is noted; The left lung is clear => Cavitary
  right upper lobe disease, highly suspicious for active tuberculosis

# obstructive sleep apnea
field: sleep medicine
age: 34-70
vitals: hypertensive
onset: 1 year; 2 years; 3 years
def: a sleep disorder with repeated collapse of the upper airway that interrupts breathing and fragments
  sleep
mech: pharyngeal muscle tone falls during sleep, and a narrow airway collapses on inspiration | each apnea
  ends with an arousal and a surge of sympathetic activity | intermittent hypoxemia contributes to
  hypertension and vascular disease
epi: it affects men more often than women until the menopause, after which the difference narrows
risk: obesity; a large neck circumference; male sex; a small lower jaw; evening alcohol or sedative use
sx: loud snoring; breathing pauses noticed by a bed partner; unrefreshing sleep; daytime sleepiness; morning
  headache
signs: a crowded oropharynx; a neck circumference above 43 cm; a body mass index above 30
neg: cataplexy; leg restlessness; orthopnea
tests: polysomnography => an apnea-hypopnea index of 5 or more events per hour => an apnea-hypopnea index of
  {18:46} events per hour | Epworth Sleepiness Scale => a score above 10 => a score of {12:18}
ddx: central sleep apnea; insufficient sleep; narcolepsy; hypothyroidism
tx1: continuous positive airway pressure; weight loss; avoidance of evening alcohol
tx2: a mandibular advancement device; positional therapy; upper airway surgery or hypoglossal nerve
  stimulation
comp: resistant hypertension; atrial fibrillation; road accidents due to sleepiness; insulin resistance
prog: regular use of positive airway pressure improves sleepiness within days | benefit is lost when
  treatment stops
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
mech: rupture of a small apical bleb lets air leak into the pleural space | loss of negative pleural
  pressure lets the lung recoil and collapse | pressure that builds up with each breath produces tension and
  impairs venous return
epi: it occurs mainly in tall, slim young adults and more often in men
risk: cigarette smoking; tall thin build; male sex; a previous pneumothorax; Marfan syndrome
sx: sudden one-sided chest pain; pain worse on deep breathing; shortness of breath; dry cough
signs: reduced breath sounds on the affected side; hyperresonance to percussion; reduced chest expansion
neg: fever; trauma; calf pain
tests: chest radiography => a visible pleural line without lung markings beyond it => a {2:3} cm rim of air
  on the right | lung ultrasonography => absent lung sliding => absent lung sliding on the right
ddx: pulmonary embolism; musculoskeletal pain; pneumonia; acute pericarditis
tx1: observation for small, minimally symptomatic cases; needle aspiration for larger ones; oxygen when
  needed
tx2: a small-bore chest drain; surgical pleurodesis for recurrence; immediate decompression of tension
rx: acetaminophen = 650 mg by mouth every 6 hours as needed
comp: tension pneumothorax; recurrence; persistent air leak
prog: roughly a third of patients have a recurrence, most within the first year or two | stopping smoking
  lowers that risk
fu: repeat chest radiograph in 1 week; chest clinic visit in 2 weeks; smoking cessation support
teach: do not fly until the lung has fully expanded; avoid scuba diving; stop smoking
warn: worsening breathlessness; new chest pain; fainting
img: Chest radiograph, upright => A thin pleural line is visible at the right apex with absent lung markings
  beyond it; There is no mediastinal shift; The left lung is fully expanded => Moderate right pneumothorax
  without tension
"""
