"""Infections, women's and men's health, and children's illness (parsed by ``records.parse_conditions``)."""

TEXT = """
# seasonal influenza
short: influenza
field: primary care
age: 18-74
vitals: febrile tachycardic
onset: 1 day; 2 days
def: an acute respiratory illness caused by influenza A or B viruses
mech: the virus binds to sialic acid receptors on respiratory epithelium through its hemagglutinin | cell
  death and cytokine release produce fever and aching | gradual antigenic drift allows yearly epidemics
epi: epidemics occur each winter in temperate regions
risk: age over 65; pregnancy; chronic lung or heart disease; immunosuppression; residence in a care home
sx: sudden fever; muscle aches; dry cough; headache; marked fatigue; sore throat
signs: a flushed face; a red throat without exudate; clear lungs
neg: shortness of breath; diarrhea; rash
tests: nucleic acid test of a nasal swab => detection of viral RNA => influenza A detected | chest
  radiography => clear lungs unless pneumonia develops => clear lungs
ddx: COVID-19; streptococcal pharyngitis; common cold; bacterial pneumonia
tx1: rest and fluids; acetaminophen; oseltamivir within 48 hours for patients at higher risk
tx2: antibiotics only for bacterial complications; hospital care for respiratory failure
rx: oseltamivir = 75 mg by mouth twice daily for 5 days | acetaminophen = 650 mg by mouth every 6 hours as
  needed
comp: viral or bacterial pneumonia; worsening of chronic disease; myocarditis
prog: fever usually lasts three to five days, while cough and fatigue may last two weeks | annual
  vaccination lowers the risk of severe illness
fu: a visit if there is no improvement after 5 days; vaccination next season
teach: stay at home until free of fever for a day; cover coughs; wash hands often
warn: difficulty breathing; confusion; fever that returns

# Plasmodium falciparum malaria
short: falciparum malaria
field: infectious diseases
age: 20-60
vitals: febrile tachycardic
onset: 2 days; 3 days; 4 days
def: a potentially fatal mosquito-borne infection of red blood cells by Plasmodium falciparum
mech: parasites multiply in the liver and then invade red blood cells in repeated cycles | infected cells
  stick to small vessel walls and impair blood flow | rupture of infected cells releases material that
  causes fever
epi: most deaths occur among young children in sub-Saharan Africa
risk: travel to an endemic area without preventive medication; sleeping without a bed net; pregnancy;
  absence of previous exposure
sx: fever with shaking chills; headache; muscle pain; vomiting; profound fatigue
signs: a palpable spleen; mild jaundice; pallor
neg: neck stiffness; rash; cough
tests: thick and thin blood films => ring forms of Plasmodium falciparum => parasitemia of {0.4:1.6}% |
  rapid antigen test => a positive result => positive for Plasmodium falciparum antigen | platelet count =>
  a low value => {62:110} x 10^9/L
ddx: dengue; typhoid fever; influenza; viral hepatitis
tx1: artemether-lumefantrine for uncomplicated disease; supportive care with fluids
tx2: intravenous artesunate for severe disease; specialist advice for relapse or resistance
rx: artemether-lumefantrine = four tablets at 0, 8, 24, 36, 48 and 60 hours with food | acetaminophen = 650
  mg by mouth every 6 hours as needed
comp: cerebral malaria; severe anemia; kidney injury; hypoglycemia; respiratory distress
prog: prompt treatment cures nearly all uncomplicated cases | delay can be fatal within days
fu: repeat blood film on days 3 and 7; blood count in 1 week
teach: take the tablets with fatty food; finish all doses; use preventive medication and bed nets on future
  trips
warn: confusion; dark urine; vomiting of tablets

# early Lyme disease
short: Lyme disease
field: infectious diseases
age: 14-64
onset: 4 days; 1 week; 10 days
def: the first stage of infection with Borrelia burgdorferi after the bite of an Ixodes tick
mech: the spirochete enters the skin after the tick has been attached for a day or more | local spread in
  the skin produces an expanding rash | later dissemination may involve joints, nerves and heart
epi: most cases occur in spring and summer in wooded regions of the northern hemisphere
risk: hiking or working in woodland; tick attachment for more than 36 hours; pets that carry ticks;
  gardening near deer habitat
sx: an expanding red rash; fatigue; headache; muscle aches; mild fever
signs: a round red patch with central clearing at the back of the knee; small tender inguinal nodes
neg: facial weakness; palpitations; joint swelling
tests: clinical examination => erythema migrans of at least 5 cm => erythema migrans measuring {7:14} cm |
  serology => a result that is often negative in the first weeks => negative at presentation
ddx: cellulitis; tinea corporis; insect bite reaction; granuloma annulare
tx1: doxycycline for ten days
tx2: amoxicillin when doxycycline is unsuitable; ceftriaxone for selected neurological or cardiac
  involvement
rx: doxycycline = 100 mg by mouth twice daily for 10 days
comp: facial palsy; arthritis of the knee; heart block; meningitis
prog: early treatment cures nearly all patients | serology may stay positive for years after cure
fu: clinic review in 2 weeks
teach: check the skin for ticks after outdoor activity; take doxycycline with food and water; avoid strong
  sun during treatment
warn: facial droop; fainting; a swollen knee

# croup
field: pediatrics
age: 1-4
informant: parent
vitals: lowfever
onset: 1 day; 2 days
def: a viral infection of the upper airway that causes a barking cough and stridor
mech: parainfluenza virus inflames the larynx and trachea | swelling below the vocal cords narrows the small
  airway of a young child | turbulent airflow on inspiration produces stridor
epi: it is most common between six months and three years of age, especially in autumn
risk: age under three years; a previous episode; exposure to siblings with colds
sx: a barking cough at night; hoarse voice; noisy breathing when upset; runny nose; mild fever
signs: inspiratory stridor when crying; mild chest wall retractions; a clear chest
neg: drooling; choking episode; rash
tests: clinical examination => barking cough with stridor => mild croup with a Westley score of {1:2} |
  pulse oximetry => a normal saturation in mild illness => {96:99}% on room air
ddx: epiglottitis; inhaled foreign body; bacterial tracheitis; peritonsillar abscess
tx1: a single dose of dexamethasone; calm comfort on the parent's lap
tx2: nebulized epinephrine for moderate or severe stridor; observation in hospital
rx: dexamethasone = 0.6 mg/kg by mouth once
comp: respiratory failure; bacterial tracheitis; dehydration
prog: most children improve within two days | symptoms are often worse at night
fu: telephone call the next day; a visit if stridor occurs at rest
teach: keep the child calm; offer small drinks often; try cool night air to ease the cough
warn: noisy breathing at rest; blue lips; drooling

# acute otitis media
field: pediatrics
age: 1-6
informant: parent
vitals: febrile
onset: 1 day; 2 days
def: acute infection of the middle ear
mech: a cold swells the lining of the Eustachian tube and traps fluid in the middle ear | bacteria from the
  nasopharynx multiply in the trapped fluid | pus under pressure makes the eardrum bulge and hurt
epi: most children have at least one episode by the age of three
risk: child care attendance; exposure to tobacco smoke; bottle feeding while lying flat; a recent cold; a
  cleft palate
sx: ear pain; tugging at the ear; fever; disturbed sleep; reduced appetite
signs: a bulging red eardrum; reduced eardrum movement; nasal discharge
neg: ear discharge; swelling behind the ear; neck stiffness
tests: pneumatic otoscopy => a bulging eardrum with poor mobility => a bulging immobile right eardrum |
  tympanometry => a flat tracing => a flat tracing on the right
ddx: otitis media with effusion; otitis externa; teething; referred throat pain
tx1: acetaminophen or ibuprofen for pain; amoxicillin for young or more severely affected children; watchful
  waiting in selected mild cases
tx2: amoxicillin-clavulanate when amoxicillin fails; tympanostomy tubes for frequent recurrence
rx: amoxicillin = 45 mg/kg by mouth twice daily for 10 days | acetaminophen = 15 mg/kg by mouth every 6
  hours as needed
comp: eardrum perforation; mastoiditis; temporary hearing loss
prog: pain usually settles within two to three days | fluid may remain behind the eardrum for weeks after
  the infection
fu: ear check in 3 months if hearing is a concern; a call in 2 days if there is no improvement
teach: give the pain reliever before bed; finish the antibiotic; keep the home free of smoke
warn: swelling behind the ear; persistent high fever; unusual drowsiness

# polycystic ovary syndrome
field: gynecology
sex: female
age: 17-38
onset: 1 year; 2 years; 3 years
def: an endocrine disorder that combines androgen excess, ovulatory dysfunction and polycystic ovarian
  morphology
mech: excess luteinizing hormone and insulin stimulate ovarian androgen production | arrested follicle
  development leads to irregular ovulation | insulin resistance is common even in lean women
epi: it affects about one in ten women of reproductive age
risk: obesity; a mother or sister with the syndrome; early puberty of adrenal origin; insulin resistance
sx: irregular periods; excess facial hair; acne; weight gain; difficulty becoming pregnant
signs: hirsutism of the chin and abdomen; acne of the face and back; velvety darkening of the neck creases
neg: galactorrhea; hot flashes; voice deepening
tests: total testosterone => a mildly elevated concentration => {62:98} ng/dL | pelvic ultrasonography =>
  many small follicles in one or both ovaries => {22:34} small follicles in each ovary | oral glucose
  tolerance test => impaired glucose tolerance in some patients => two-hour glucose {142:176} mg/dL
ddx: nonclassic congenital adrenal hyperplasia; hyperprolactinemia; thyroid disease; androgen-secreting
  tumor
tx1: lifestyle change with modest weight loss; combined oral contraception for cycle control; letrozole for
  ovulation induction
tx2: metformin for metabolic features; spironolactone with contraception for hirsutism
rx: metformin = 500 mg by mouth twice daily with meals
comp: infertility; type 2 diabetes; endometrial hyperplasia; obstructive sleep apnea; depression
prog: fertility treatment succeeds in most women | metabolic risk calls for long-term follow-up
fu: clinic review in 3 months; glucose testing every 1 to 3 years; blood pressure check each year
teach: aim for steady modest weight loss; track menstrual cycles; ask for support with mood
warn: heavy prolonged bleeding; no period for more than three months; low mood

# endometriosis
field: gynecology
sex: female
age: 19-44
onset: 1 year; 2 years; 3 years
def: the presence of endometrium-like tissue outside the uterus
mech: retrograde menstruation carries endometrial cells into the pelvis | implants respond to estrogen and
  provoke inflammation, scarring and nerve growth | adhesions distort pelvic anatomy and impair fertility
epi: it affects about 10% of women of reproductive age, and diagnosis is often delayed for years
risk: early first period; short menstrual cycles; never having given birth; a mother or sister with the
  disease
sx: severe period pain; deep pain during intercourse; pain on opening the bowels during periods; chronic
  pelvic pain; difficulty becoming pregnant
signs: nodules behind the uterus; a fixed retroverted uterus; tenderness of the left adnexa
neg: fever; vaginal discharge; bleeding after intercourse
tests: transvaginal ultrasonography => an ovarian endometrioma in some patients => a {3:5} cm endometrioma
  of the left ovary | laparoscopy => visible implants with histological confirmation => peritoneal implants
  on the uterosacral ligaments
ddx: pelvic inflammatory disease; adenomyosis; irritable bowel syndrome; interstitial cystitis
tx1: ibuprofen or naproxen; hormonal suppression with a combined contraceptive or norethindrone
tx2: gonadotropin-releasing hormone analogs with add-back therapy; laparoscopic excision
rx: naproxen = 500 mg by mouth twice daily with food | norethindrone = 5 mg by mouth once daily
comp: infertility; ovarian cysts; adhesions; chronic pain
prog: symptoms often return after treatment stops and usually ease after the menopause | fertility can
  improve after surgery in selected women
fu: gynecology visit in 3 months; pain diary review
teach: use heat for cramps; take the pain reliever at the first sign of a period; keep a record of pain and
  bleeding
warn: sudden severe pelvic pain; fever; fainting
img: Pelvic ultrasound, transvaginal => The left ovary contains a 4 cm cyst with homogeneous low-level
  echoes; The uterus is retroverted and of normal size; No free fluid is seen => Left ovarian endometrioma

# preeclampsia
field: obstetrics
sex: female
age: 18-43
vitals: severe_hypertensive
onset: 1 day; 2 days; 3 days
def: new hypertension after 20 weeks of pregnancy together with proteinuria or evidence of maternal organ
  dysfunction
mech: inadequate remodeling of the spiral arteries leaves the placenta poorly perfused | antiangiogenic
  factors from the placenta injure the maternal endothelium | endothelial dysfunction explains the
  hypertension, proteinuria and edema
epi: it complicates about 3 to 5% of pregnancies
risk: first pregnancy; previous preeclampsia; chronic hypertension; twin pregnancy; diabetes mellitus;
  obesity
sx: headache; visual spots; swelling of the face and hands; upper abdominal discomfort; rapid weight gain
signs: brisk reflexes; facial edema; right upper quadrant tenderness; a uterine size that matches dates
neg: vaginal bleeding; fever; contractions
tests: urine protein-to-creatinine ratio => 0.3 or more => {0.6:2.4} | platelet count => a low value in
  severe disease => {96:148} x 10^9/L | liver transaminases => elevation in severe disease => alanine
  aminotransferase {48:112} U/L | serum creatinine => a value that may be raised => {0.8:1.1} mg/dL
ddx: chronic hypertension; gestational hypertension; thrombotic thrombocytopenic purpura; migraine
tx1: labetalol or nifedipine for severe hypertension; magnesium sulfate to prevent seizures; delivery at the
  right time
tx2: betamethasone for fetal lung maturity before 34 weeks; low-dose aspirin for prevention in later
  pregnancies
rx: labetalol = 200 mg by mouth twice daily | magnesium sulfate = 4 g intravenously over 20 minutes, then 1
  g per hour
home: labetalol
comp: eclampsia; HELLP syndrome; placental abruption; stroke; fetal growth restriction
prog: the condition resolves after delivery, although blood pressure may stay high for weeks | later risk of
  cardiovascular disease is increased
fu: blood pressure check within 3 days after birth; obstetric visit at 1 week; lifelong yearly blood
  pressure check
teach: check blood pressure twice a day at home; report headache at once; mention this pregnancy to future
  clinicians
warn: severe headache; seizure; shortness of breath
course: Magnesium sulfate was given during labor and for 24 hours after birth. | Blood pressure was
  controlled with labetalol, and laboratory values improved after delivery. | A healthy infant was born at
  37 weeks by induced vaginal delivery.
nurse: reflexes are present and respirations are regular; urine output is above 30 mL per hour; headache has
  resolved; blood pressure is measured every 15 minutes

# testicular torsion
field: urology
sex: male
age: 11-22
vitals: tachycardic
onset: 2 hours; 3 hours; 5 hours
def: twisting of the spermatic cord that cuts off blood flow to the testis
mech: abnormal attachment lets the testis rotate freely within the tunica vaginalis | venous outflow is
  blocked first, followed by arterial inflow | infarction may occur within about six hours
epi: the peak incidence is around puberty
risk: a bell-clapper deformity; age between 12 and 18 years; previous self-limited episodes; an undescended
  testis
sx: sudden severe scrotal pain; nausea and vomiting; lower abdominal pain; a testis that looks higher than
  the other
signs: an absent cremasteric reflex; a high-riding testis with a horizontal lie; a swollen tender
  hemiscrotum
neg: fever; burning on urination; urethral discharge
tests: color Doppler ultrasonography => reduced or absent flow => absent intratesticular flow on the left |
  urinalysis => a normal result => normal
ddx: torsion of the appendix testis; epididymitis; incarcerated hernia; trauma
tx1: immediate surgical detorsion with fixation of both testes
tx2: manual detorsion while awaiting surgery; removal of a testis that is not viable
rx: morphine = 0.1 mg/kg intravenously once for pain | acetaminophen = 500 mg by mouth every 6 hours as
  needed
comp: loss of the testis; reduced fertility; recurrence if not fixed
prog: the testis is saved in most boys operated on within six hours | salvage is unlikely after 24 hours
fu: urology visit in 2 weeks; ultrasound in 3 months
teach: avoid sports for four weeks; wear supportive underwear; seek help at once if pain returns
warn: return of severe pain; fever; spreading redness of the wound

# prostate cancer
field: urology
sex: male
age: 56-82
onset: 2 months; 4 months; 6 months
def: a malignant tumor of the prostate, nearly always an adenocarcinoma of the peripheral zone
mech: androgens drive the growth of most tumors | gene fusions such as TMPRSS2-ERG are common | spread to
  bone produces dense sclerotic lesions
epi: it is among the most commonly diagnosed cancers in men
risk: older age; African ancestry; a father or brother with the disease; BRCA2 mutation
sx: no symptoms at diagnosis; weaker urinary stream; more frequent urination at night; a vague pelvic ache
signs: a firm nodule in the right lobe of the prostate; an asymmetrical gland; no bony tenderness
neg: bone pain; visible blood in the urine; weight loss
tests: prostate-specific antigen => an elevated concentration => {6.4:14.8} ng/mL | multiparametric magnetic
  resonance imaging => a suspicious lesion => a PI-RADS 4 lesion in the right peripheral zone | targeted
  biopsy => adenocarcinoma graded by the Gleason system => Gleason score 3 + 4 = 7
ddx: benign prostatic hyperplasia; chronic prostatitis; prostatic abscess
tx1: active surveillance for low-risk disease; radical prostatectomy; external beam radiotherapy
tx2: androgen deprivation with leuprolide for advanced disease; abiraterone in combination; docetaxel for
  metastatic disease
comp: urinary obstruction; bone metastases; spinal cord compression; treatment-related erectile dysfunction
prog: most men with localized disease do not die from it | grade, stage and antigen level together predict
  outcome
fu: multidisciplinary discussion; prostate-specific antigen every 6 months; decision visit in 2 weeks
teach: bring a partner or friend to the decision visit; stay physically active; ask about fertility and
  sexual function
warn: back pain with leg weakness; inability to pass urine; new bone pain

# breast cancer
field: oncology
sex: female
age: 38-80
onset: 3 weeks; 5 weeks; 2 months
def: a malignant tumor of breast tissue, most often an invasive ductal carcinoma
mech: most tumors express estrogen receptors and depend on hormonal stimulation | amplification of HER2 is
  found in about 15% of cases | inherited mutations in BRCA1 or BRCA2 impair DNA repair
epi: it is the most commonly diagnosed cancer in women worldwide
risk: older age; a mother or sister with the disease; BRCA1 or BRCA2 mutation; late first pregnancy; obesity
  after menopause; alcohol use
sx: a painless breast lump; a change in the shape of the breast; dimpling of the skin; an inverted nipple
signs: a hard irregular mass in the upper outer quadrant; skin tethering; a mobile axillary lymph node
neg: breast pain; fever; nipple discharge
tests: diagnostic mammography => a spiculated mass => a spiculated {14:26} mm mass in the left upper outer
  quadrant | core needle biopsy => invasive carcinoma with receptor status => invasive ductal carcinoma,
  estrogen receptor positive, HER2 negative | axillary ultrasonography => enlarged nodes when spread has
  occurred => one node with a thickened cortex
ddx: fibroadenoma; breast cyst; fat necrosis; abscess
tx1: breast-conserving surgery with radiotherapy; sentinel lymph node biopsy; letrozole for postmenopausal
  or tamoxifen for premenopausal hormone-sensitive disease
tx2: chemotherapy according to risk; trastuzumab for HER2-positive tumors; mastectomy
comp: lymphedema of the arm; local recurrence; bone metastases
prog: five-year survival is above 95% for small localized tumors | long-term endocrine therapy lowers
  recurrence
fu: multidisciplinary meeting this week; surgical visit in 1 week; yearly mammography after treatment
teach: contact the breast nurse with any question; keep the arm moving after surgery; tell relatives about
  possible genetic testing
warn: fever after surgery; swelling of the arm; new bone pain
img: Diagnostic mammogram with ultrasound => There is a spiculated mass in the left upper outer quadrant;
  Associated fine pleomorphic calcifications are present; Ultrasound shows a hypoechoic mass with angular
  margins and one abnormal axillary node => Highly suspicious left breast mass, BI-RADS 5, biopsy
  recommended
"""
