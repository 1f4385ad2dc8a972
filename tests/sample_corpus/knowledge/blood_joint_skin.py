"""Conditions of blood, joints and skin (parsed by ``records.parse_conditions``)."""

TEXT = """
# iron deficiency anemia
field: hematology
age: 18-72
onset: 6 weeks; 2 months; 4 months
def: a low hemoglobin concentration caused by insufficient iron for red cell production
mech: iron stores are exhausted before hemoglobin falls | lack of iron limits heme synthesis and yields
  small pale red cells | blood loss is the usual cause in adults, while growth and diet matter more in
  children
epi: it is the most common form of anemia worldwide
risk: heavy menstrual bleeding; gastrointestinal blood loss; pregnancy; a diet low in iron; celiac disease;
  previous stomach surgery
sx: fatigue; breathlessness on exertion; craving for ice; hair loss; restless legs
signs: pallor of the conjunctivae; spoon-shaped nails; soreness at the corners of the mouth
neg: jaundice; weight loss; night sweats
tests: complete blood count => a low hemoglobin with a low mean cell volume => hemoglobin {7.8:10.2} g/dL,
  mean cell volume {66:76} fL | serum ferritin => a low concentration => {3:11} ng/mL | transferrin
  saturation => a low value => {5:12}%
ddx: thalassemia trait; anemia of chronic inflammation; sideroblastic anemia
tx1: ferrous sulfate by mouth; identification and treatment of the source of blood loss
tx2: intravenous iron when tablets fail or are not tolerated; transfusion for severe symptoms
rx: ferrous sulfate = 325 mg by mouth once every other day
comp: heart failure in severe cases; impaired work capacity; preterm birth when it occurs in pregnancy
prog: hemoglobin usually rises by about 1 g/dL every two weeks once treatment starts | iron should continue
  for about three months after hemoglobin recovers
fu: blood count in 4 weeks; ferritin in 3 months; endoscopy where gastrointestinal loss is suspected
teach: take the tablet on an empty stomach with orange juice if tolerated; expect dark stools; keep tablets
  away from children
warn: black tarry stools with dizziness; chest pain; fainting

# vitamin B12 deficiency
field: hematology
age: 42-84
onset: 3 months; 5 months; 8 months
def: a shortage of cobalamin that impairs DNA synthesis and myelin maintenance
mech: autoimmune loss of intrinsic factor prevents absorption in pernicious anemia | defective DNA synthesis
  produces large red cells and hypersegmented neutrophils | accumulation of methylmalonic acid reflects
  failure of a cobalamin-dependent enzyme
epi: it becomes more frequent with age
risk: pernicious anemia; a strict vegan diet without supplements; long-term metformin use; previous stomach
  or ileal surgery; long-term acid suppression
sx: numbness of the feet; fatigue; unsteady walking in the dark; a sore tongue; forgetfulness
signs: loss of vibration sense in the toes; a smooth red tongue; pallor; a positive Romberg sign
neg: back pain; fever; double vision
tests: serum vitamin B12 => a low concentration => {88:160} pg/mL | complete blood count => a raised mean
  cell volume => hemoglobin {8.8:11.2} g/dL, mean cell volume {106:120} fL | methylmalonic acid => an
  elevated concentration => {0.9:3.2} micromoles per liter
ddx: folate deficiency; hypothyroidism; myelodysplastic syndrome; alcohol-related neuropathy
tx1: cyanocobalamin by injection when neurological symptoms are present; treatment of the cause
tx2: high-dose oral cyanocobalamin; lifelong replacement in pernicious anemia
rx: cyanocobalamin = 1,000 mcg by intramuscular injection once weekly for 4 weeks, then monthly
comp: irreversible neuropathy; subacute combined degeneration of the spinal cord; cognitive decline
prog: blood counts recover within about two months | nerve symptoms improve slowly and may be incomplete if
  treatment is late
fu: blood count in 4 weeks; potassium in 1 week; neurological review in 3 months
teach: keep every injection appointment; use a night light to avoid falls; include fortified foods in the
  diet
warn: worsening weakness; falls; chest pain

# sickle cell disease
field: hematology
age: 10-40
vitals: tachycardic
onset: 1 day; 2 days; 3 days
def: an inherited disorder of hemoglobin in which red cells become rigid and sickle-shaped when deoxygenated
mech: a single amino acid change in beta globin lets deoxygenated hemoglobin S polymerize | rigid cells
  block small vessels and cause pain and tissue injury | shortened red cell survival leads to chronic
  hemolytic anemia | painful crises are often triggered by infection, dehydration, cold or exertion
epi: the gene is common where malaria is or was widespread because carriers are partly protected
risk: two parents who carry the sickle gene; ancestry from regions where malaria is or was common; an
  affected sibling
sx: severe pain in the back and legs; fatigue; pain similar to previous crises; poor sleep because of pain
signs: mild scleral icterus; tenderness over the shins; pallor
neg: cough; chest pain; weakness of a limb
tests: complete blood count => chronic anemia with a high reticulocyte count => hemoglobin {6.8:8.8} g/dL,
  reticulocytes {9:16}% | hemoglobin electrophoresis => a predominance of hemoglobin S => hemoglobin S
  {76:88}% | chest radiography => a clear lung field unless acute chest syndrome is present => clear lungs
ddx: osteomyelitis; avascular necrosis; acute cholecystitis
tx1: prompt pain relief, including morphine when severe; fluids and warmth; hydroxyurea for prevention;
  vaccination
tx2: transfusion for selected complications; L-glutamine or crizanlizumab in some settings; stem cell
  transplantation
rx: morphine = 0.1 mg/kg intravenously every 3 hours as needed for pain | hydroxyurea = 15 mg/kg by mouth
  once daily | folic acid = 1 mg by mouth once daily | acetaminophen = 15 mg/kg by mouth every 6 hours, to a
  maximum of 650 mg per dose
acute: morphine; hydroxyurea; folic acid
home: hydroxyurea; folic acid; acetaminophen
comp: acute chest syndrome; stroke; splenic sequestration in young children; kidney disease; leg ulcers
prog: hydroxyurea reduces pain crises and improves survival | survival has risen greatly with newborn
  screening and preventive care
fu: hematology visit in 1 week; yearly eye and urine checks; blood count monitoring on hydroxyurea
teach: drink plenty of water; dress warmly; seek care early for fever
warn: fever above 38.3 C; chest pain or breathlessness; sudden weakness
course: Pain was controlled with intravenous morphine and then changed to acetaminophen as symptoms eased. |
  Saturation stayed above 95% on room air, and no acute chest syndrome developed. | Hydroxyurea was
  continued and adherence was reviewed.
nurse: pain is down from 9 to 5 out of 10; warm packs applied to the legs; incentive spirometer used every
  two hours; drinking two liters a day

# rheumatoid arthritis
field: rheumatology
age: 30-70
onset: 8 weeks; 3 months; 4 months
def: a chronic autoimmune disease with symmetrical inflammation of synovial joints
mech: autoantibodies such as anti-citrullinated peptide antibody may appear years before symptoms | synovial
  proliferation forms an invasive pannus that erodes cartilage and bone | tumor necrosis factor and
  interleukin-6 are central mediators
epi: it affects about 0.5 to 1% of adults, women more often than men
risk: female sex; cigarette smoking; the HLA-DRB1 shared epitope; periodontal disease; a family history of
  the disease
sx: pain and swelling of the small joints of both hands; morning stiffness lasting more than an hour;
  fatigue; difficulty gripping; sore balls of the feet
signs: boggy swelling of the metacarpophalangeal joints; tenderness of both wrists; reduced grip strength; a
  nodule at the elbow
neg: rash; low back pain; eye redness
tests: anti-citrullinated peptide antibody => a positive result => positive at high titer | C-reactive
  protein => an elevated concentration => {18:62} mg/L | hand radiography => periarticular osteopenia with
  marginal erosions => a small erosion of the right fifth metatarsal head and periarticular osteopenia
ddx: psoriatic arthritis; viral arthritis; systemic lupus erythematosus; osteoarthritis
tx1: early methotrexate with folic acid; a short course of prednisone as a bridge; patient education and
  exercise
tx2: hydroxychloroquine or other drugs in combination; a biologic agent such as infliximab; a Janus kinase
  inhibitor
rx: methotrexate = 15 mg by mouth once a week | folic acid = 1 mg by mouth once daily | prednisone = 10 mg
  by mouth once daily, then tapered
comp: joint deformity; interstitial lung disease; cardiovascular disease; atlantoaxial instability
prog: early treatment to a target of remission prevents damage | most patients remain at work with modern
  therapy
fu: rheumatology visit in 4 weeks; blood count and liver tests every 4 to 8 weeks at first; disease activity
  score at each visit
teach: take methotrexate on one fixed day of the week only; limit alcohol; keep joints moving every day
warn: fever or mouth ulcers; dry cough with breathlessness; a single hot swollen joint

# systemic lupus erythematosus
short: lupus
field: rheumatology
sex: female
age: 18-48
vitals: lowfever
onset: 6 weeks; 2 months; 3 months
def: a systemic autoimmune disease with autoantibodies against nuclear antigens and immune complex injury
mech: impaired clearance of dying cells exposes nuclear antigens | type I interferon amplifies the immune
  response | immune complexes deposit in the kidney, the skin and other tissues
epi: about nine in ten patients are women, most of them of childbearing age
risk: female sex; a family history of autoimmune disease; ultraviolet light exposure; certain drugs;
  African, Asian or Hispanic ancestry
sx: rash on the cheeks after sun exposure; joint pain and stiffness; fatigue; mouth ulcers; hair loss;
  pleuritic chest pain
signs: a malar rash sparing the nasolabial folds; tender small joints; painless palatal ulcers
neg: cough; weight gain; leg swelling
tests: antinuclear antibody => a positive result in nearly all patients => positive at 1:{640:1280} |
  anti-double-stranded DNA antibody => a positive result that is highly specific => positive | complement C3
  => a low concentration during active disease => {48:72} mg/dL | urinalysis => proteinuria or red cell
  casts when the kidney is involved => no protein, no casts
ddx: rheumatoid arthritis; drug-induced lupus; viral infection; mixed connective tissue disease
tx1: hydroxychloroquine; sun protection; short courses of prednisone for flares
tx2: mycophenolate for nephritis; belimumab; methotrexate for arthritis
rx: hydroxychloroquine = 200 mg by mouth twice daily | prednisone = 15 mg by mouth once daily, then tapered
comp: lupus nephritis; thrombosis; premature atherosclerosis; infection
prog: ten-year survival exceeds 90% in well-resourced settings | kidney involvement worsens the outlook
fu: clinic visit in 4 weeks; urinalysis, creatinine and complement every 3 months; yearly eye screening on
  hydroxychloroquine
teach: use sunscreen daily; do not smoke; plan pregnancy with the clinic
warn: foamy urine; chest pain; fever

# knee osteoarthritis
field: rheumatology
age: 52-84
onset: 6 months; 1 year; 2 years
def: a whole-joint disease of the knee with cartilage loss, bone remodeling and mild synovial inflammation
mech: mechanical overload and low-grade inflammation break down cartilage faster than it can be repaired |
  subchondral bone thickens and osteophytes form at the joint margin | muscle weakness increases load on the
  joint
epi: it is one of the leading causes of pain and disability in older adults
risk: older age; obesity; previous knee injury; female sex; occupations with repeated kneeling; malalignment
  of the leg
sx: knee pain on stairs; stiffness after sitting that eases within half an hour; creaking of the joint;
  reduced walking distance; a feeling of giving way
signs: crepitus on movement; bony enlargement; a small cool effusion; reduced flexion
neg: fever; redness of the joint; locking
tests: knee radiography => joint space narrowing with osteophytes => medial joint space narrowing with
  marginal osteophytes | C-reactive protein => a normal value => {1:4} mg/L
ddx: meniscal tear; rheumatoid arthritis; calcium pyrophosphate deposition disease; referred hip pain
tx1: exercise with quadriceps strengthening; weight loss; topical diclofenac
tx2: short courses of oral ibuprofen when safe; intra-articular steroid injection; total knee replacement
rx: diclofenac gel = 4 g to the affected knee four times daily | acetaminophen = 650 mg by mouth every 6
  hours as needed
comp: loss of mobility; muscle wasting; falls
prog: the course is slow, and many people stabilize | replacement surgery relieves pain in most patients
  with advanced disease
fu: physical therapy referral; clinic review in 3 months
teach: do the thigh exercises daily; use a cane in the opposite hand; choose shoes with good cushioning
warn: a hot swollen knee; fever; inability to bear weight
img: Radiograph of the knee, standing => There is moderate narrowing of the medial compartment; Marginal
  osteophytes and subchondral sclerosis are present; A small joint effusion is noted; No fracture is seen =>
  Moderate medial compartment osteoarthritis of the knee

# plaque psoriasis
short: psoriasis
field: dermatology
age: 18-66
onset: 3 months; 6 months; 1 year
def: a chronic immune-mediated skin disease with well-demarcated scaly plaques
mech: activation of T helper 17 cells and release of interleukin-17 and interleukin-23 drive the disease |
  keratinocytes multiply and mature several times faster than normal | skin injury may provoke new plaques
epi: it affects about 2 to 3% of adults in many western countries
risk: a family history of psoriasis; cigarette smoking; obesity; streptococcal infection; lithium treatment
sx: thick scaly patches on the elbows and knees; itching; flaking of the scalp; nail changes; distress about
  appearance
signs: silvery scale on salmon-colored plaques; nail pitting; plaques on extensor surfaces
neg: joint swelling; fever; blisters
tests: clinical examination => typical plaques on extensor surfaces => plaques over {4:9}% of body surface |
  skin biopsy => epidermal thickening with retained nuclei in the stratum corneum => regular epidermal
  thickening with parakeratosis
ddx: eczema; tinea corporis; seborrheic dermatitis; cutaneous T-cell lymphoma
tx1: a potent topical steroid such as betamethasone; calcipotriene; emollients
tx2: narrow-band ultraviolet B therapy; methotrexate; a biologic agent such as secukinumab
rx: betamethasone ointment = applied as a thin layer once daily for 4 weeks | calcipotriene ointment =
  applied as a thin layer once daily
comp: psoriatic arthritis; depression; cardiovascular disease; erythroderma
prog: the disease is lifelong with remissions and relapses | up to one third of patients develop arthritis
fu: clinic review in 6 weeks; joint symptom screen at each visit
teach: apply moisturizer generously; avoid scratching; stop smoking
warn: joint pain with morning stiffness; widespread redness; pustules with fever

# atopic dermatitis
field: pediatrics
age: 2-12
informant: parent
onset: 3 weeks; 2 months; 4 months
def: a chronic relapsing itchy skin disease linked to barrier dysfunction
mech: loss-of-function variants of filaggrin weaken the skin barrier | type 2 cytokines such as
  interleukin-4 and interleukin-13 drive inflammation and itch | scratching damages the barrier further
epi: it affects up to one child in five and usually begins before the age of five
risk: a parent with asthma, hay fever or eczema; dry climate; frequent use of harsh soap; food allergy in
  early childhood
sx: intense itching; dry skin; a red rash in the elbow and knee creases; disturbed sleep; flares in winter
signs: eczematous plaques in the flexures; dry scaly skin; scratch marks
neg: fever; contacts with an itchy rash; wheeze at present
tests: clinical examination => flexural eczema with a chronic course => flexural eczema over {6:12}% of body
  surface | skin swab => bacterial growth when infection is suspected => no growth of pathogenic bacteria
ddx: scabies; contact dermatitis; seborrheic dermatitis; psoriasis
tx1: liberal emollients; topical hydrocortisone for flares; avoidance of irritants
tx2: tacrolimus ointment for delicate areas; dupilumab for severe disease; wet wraps
rx: hydrocortisone 1% cream = applied as a thin layer to the rash twice daily for 7 days
comp: bacterial skin infection; eczema herpeticum; sleep loss; poor school performance
prog: most children improve by adolescence | regular emollients reduce the number of flares
fu: clinic review in 4 weeks; allergy assessment if reactions to food are suspected
teach: moisturize within three minutes of bathing; keep fingernails short; use cotton clothing
warn: painful clustered blisters; fever; weeping yellow crusts

# cellulitis
field: primary care
age: 28-80
vitals: lowfever
onset: 1 day; 2 days; 3 days
def: acute bacterial infection of the dermis and subcutaneous tissue
mech: bacteria enter through a break in the skin such as a fissure between the toes | beta-hemolytic
  streptococci and Staphylococcus aureus are the usual organisms | lymphatic damage from each episode
  increases the chance of the next
epi: the lower leg is by far the most common site
risk: leg edema; tinea pedis; obesity; a previous episode; venous insufficiency; diabetes mellitus
sx: spreading redness of one lower leg; warmth; pain; swelling; chills
signs: a tender warm red area with indistinct margins; fissures between the toes; tender inguinal lymph
  nodes
neg: calf injury; shortness of breath; insect bite
tests: clinical examination => unilateral spreading warm redness => redness of {10:22} cm outlined with a
  marker | complete blood count => leukocytosis in more severe cases => white cell count {10.8:14.6} x
  10^9/L
ddx: deep vein thrombosis; stasis dermatitis; contact dermatitis; necrotizing fasciitis
tx1: cephalexin for mild cases; elevation of the limb; treatment of tinea pedis
tx2: intravenous antibiotics such as vancomycin when resistant organisms are likely; drainage of any abscess
rx: cephalexin = 500 mg by mouth four times daily for 5 days | acetaminophen = 650 mg by mouth every 6 hours
  as needed
comp: abscess; lymphangitis; sepsis; recurrent cellulitis
prog: redness may extend slightly during the first day of treatment before it recedes | compression of edema
  reduces recurrence
fu: clinic review in 2 days; foot care advice
teach: raise the leg above the level of the heart; dry between the toes; finish the antibiotics
warn: rapidly spreading redness; severe pain out of proportion; high fever

# cutaneous melanoma
short: melanoma
field: dermatology
age: 32-78
onset: 2 months; 4 months; 6 months
def: a malignant tumor that arises from the melanocytes of the skin
mech: ultraviolet light causes mutations in melanocytes | activating BRAF mutations are present in roughly
  half of tumors | depth of invasion determines the chance of spread
epi: incidence has risen in fair-skinned populations over recent decades
risk: intermittent intense sun exposure; many moles; fair skin; a family history of melanoma; use of tanning
  beds
sx: a mole that has changed in color; an enlarging dark spot; occasional itching of the spot; bleeding after
  minor rubbing
signs: an asymmetrical lesion with irregular borders; variation in color; a diameter of 9 mm; no palpable
  lymph nodes
neg: weight loss; headache; cough
tests: dermoscopy => an atypical pigment network => an atypical network with a blue-white veil | excisional
  biopsy => a malignant melanocytic tumor whose Breslow thickness is measured => Breslow thickness {0.6:1.8}
  mm, no ulceration
ddx: seborrheic keratosis; dysplastic nevus; pigmented basal cell carcinoma; hemangioma
tx1: wide local excision; sentinel lymph node biopsy for thicker tumors
tx2: immune checkpoint inhibitors for advanced disease; targeted therapy when BRAF is mutated
comp: lymph node spread; brain metastases; second primary melanoma
prog: thin tumors are cured by surgery in most cases | survival in advanced disease has improved with
  immunotherapy
fu: skin check every 3 to 6 months; lymph node examination; review of surgical margins
teach: examine the skin once a month; wear a hat and sunscreen; ask relatives to have their moles checked
warn: a new dark spot; a lump in the armpit or groin; persistent headache
"""
