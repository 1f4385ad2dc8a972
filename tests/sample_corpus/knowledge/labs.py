"""Laboratory tests with usual adult reference ranges (parsed by ``records.parse_labs``)."""

TEXT = """
# serum sodium
range: 135 to 145 mmol/L
what: the main cation of extracellular fluid and the chief determinant of plasma osmolality
high: water loss without replacement; diabetes insipidus; osmotic diuresis
low: syndrome of inappropriate antidiuresis; thiazide diuretics; heart failure; cirrhosis; adrenal
  insufficiency
note: chronic low sodium must be corrected slowly to avoid osmotic demyelination | marked hyperglycemia
  lowers the measured value by shifting water out of cells

# serum potassium
range: 3.5 to 5.0 mmol/L
what: the main intracellular cation, which sets the resting membrane potential of excitable cells
high: kidney failure; spironolactone; angiotensin-converting enzyme inhibitors; adrenal insufficiency;
  tissue breakdown
low: vomiting; diarrhea; loop diuretics; primary aldosteronism; insulin treatment
note: a hemolyzed sample gives a falsely high result | peaked T waves on the electrocardiogram suggest
  dangerous hyperkalemia

# serum creatinine
range: about 0.6 to 1.2 mg/dL
what: a waste product of muscle metabolism that is cleared mainly by glomerular filtration
high: acute kidney injury; chronic kidney disease; urinary obstruction; large muscle mass
low: low muscle mass; pregnancy
note: estimated glomerular filtration rate reflects kidney function better than creatinine alone | a frail
  older adult may have a normal value despite poor kidney function

# blood urea nitrogen
range: 7 to 20 mg/dL
what: the nitrogen content of urea, which is made in the liver from amino acids
high: dehydration; kidney failure; upper gastrointestinal bleeding; a high protein intake
low: severe liver disease; malnutrition; pregnancy
note: a ratio to creatinine above 20 suggests reduced kidney perfusion

# fasting plasma glucose
range: 70 to 99 mg/dL
what: the concentration of glucose after at least eight hours without food
high: diabetes mellitus; acute stress; glucocorticoid treatment; acute pancreatitis
low: excess insulin; sulfonylurea treatment; adrenal insufficiency; liver failure
note: a value from 100 to 125 mg/dL indicates impaired fasting glucose | a value of 126 mg/dL or higher on
  two occasions confirms diabetes

# hemoglobin A1c
range: below 5.7%
what: the share of hemoglobin with glucose attached, which reflects average glucose over about three months
high: diabetes mellitus; iron deficiency; reduced red cell turnover
low: hemolytic anemia; recent blood loss; recent transfusion
note: a value from 5.7 to 6.4% indicates prediabetes | abnormal red cell survival makes the result
  unreliable

# hemoglobin
range: about 13.5 to 17.5 g/dL in men and 12.0 to 15.5 g/dL in women
what: the oxygen-carrying protein of red blood cells
high: chronic hypoxemia; polycythemia vera; dehydration
low: iron deficiency; chronic kidney disease; blood loss; hemolysis; vitamin B12 deficiency
note: the mean cell volume guides the search for the cause of anemia | acute bleeding may not lower the
  value for several hours

# mean cell volume
range: 80 to 100 fL
what: the average size of red blood cells
high: vitamin B12 deficiency; folate deficiency; alcohol use; hypothyroidism; a high reticulocyte count
low: iron deficiency; thalassemia; some cases of chronic inflammation
note: mixed deficiencies may give a normal value with a wide red cell distribution

# white blood cell count
range: 4.0 to 11.0 x 10^9/L
what: the number of circulating leukocytes
high: bacterial infection; glucocorticoid treatment; leukemia; physical stress
low: viral infection; chemotherapy; autoimmune disease; severe sepsis
note: the differential count is more informative than the total | a neutrophil count below 0.5 x 10^9/L
  carries a high risk of infection

# platelet count
range: 150 to 400 x 10^9/L
what: the number of circulating platelets
high: iron deficiency; inflammation; essential thrombocythemia; absence of the spleen
low: immune thrombocytopenia; cirrhosis; heparin-induced thrombocytopenia; bone marrow failure
note: clumping in the sample tube can give a falsely low count | spontaneous bleeding is uncommon while the
  count is above 20 x 10^9/L

# C-reactive protein
range: below 5 mg/L in many laboratories
what: an acute-phase protein made in the liver under the influence of interleukin-6
high: bacterial infection; autoimmune inflammation; tissue injury; cancer
low: a low value is normal
note: it rises within hours and has a half-life of about 19 hours | it rises less than expected in many
  flares of systemic lupus erythematosus

# serum ferritin
range: roughly 30 to 300 ng/mL in men and 15 to 150 ng/mL in women
what: a storage protein whose blood concentration mirrors body iron
high: inflammation; liver disease; hemochromatosis; repeated transfusion
low: iron deficiency
note: a low value is specific for iron deficiency | a normal value does not exclude iron deficiency in the
  presence of inflammation

# thyroid-stimulating hormone
range: about 0.4 to 4.0 mIU/L
what: the pituitary hormone that controls the thyroid gland
high: primary hypothyroidism; recovery from severe illness; inadequate levothyroxine replacement
low: Graves disease; toxic nodular goiter; excess levothyroxine; pituitary failure
note: it is the best single screening test of thyroid function | it takes about six weeks to settle after a
  change in dose

# serum calcium
range: 8.5 to 10.5 mg/dL
what: a mineral needed for bone, nerve conduction, muscle contraction and clotting
high: primary hyperparathyroidism; malignancy; vitamin D excess; granulomatous disease
low: hypoparathyroidism; vitamin D deficiency; chronic kidney disease; low magnesium
note: about 40% of total calcium is bound to albumin | ionized calcium is the physiologically active
  fraction

# serum albumin
range: 3.5 to 5.0 g/dL
what: the most abundant plasma protein, made only in the liver
high: dehydration
low: cirrhosis; nephrotic syndrome; inflammation; malnutrition; protein-losing enteropathy
note: its half-life of about three weeks makes it a slow marker of liver synthesis

# alanine aminotransferase
range: about 7 to 40 U/L
what: an enzyme found mainly in liver cells
high: viral hepatitis; drug-induced liver injury; fatty liver disease; liver ischemia
low: low values are rarely important
note: values above 1,000 U/L suggest acute viral, toxic or ischemic injury | the degree of elevation does
  not predict the degree of fibrosis

# alkaline phosphatase
range: about 40 to 120 U/L
what: an enzyme of bile ducts, bone and placenta
high: bile duct obstruction; Paget disease of bone; growth in adolescence; late pregnancy; bone metastases
low: zinc deficiency; hypophosphatasia
note: a raised gamma-glutamyl transferase points to a liver source

# total bilirubin
range: 0.2 to 1.2 mg/dL
what: the breakdown product of heme that is conjugated in the liver
high: hemolysis; bile duct obstruction; hepatitis; Gilbert syndrome
low: low values have no clinical importance
note: unconjugated bilirubin rises in hemolysis and in Gilbert syndrome | jaundice becomes visible at about
  2.5 to 3 mg/dL

# international normalized ratio
range: about 0.9 to 1.1 without anticoagulation
what: a standardized measure of the prothrombin time
high: warfarin treatment; vitamin K deficiency; liver failure; disseminated intravascular coagulation
low: low values are rarely important
note: the usual target during warfarin treatment is 2.0 to 3.0 | it does not measure the effect of apixaban
  reliably

# D-dimer
range: below 500 ng/mL in many assays
what: a fragment released when cross-linked fibrin is broken down
high: venous thrombosis; pregnancy; infection; cancer; recent surgery
low: a low value is normal
note: a normal value helps to exclude thrombosis when the clinical probability is low | an age-adjusted
  cutoff improves its use in older patients

# cardiac troponin
range: below the 99th percentile of a healthy population
what: a regulatory protein of heart muscle that leaks into blood after injury
high: myocardial infarction; myocarditis; pulmonary embolism; chronic kidney disease; sepsis
low: a low value is normal
note: a rise or fall on serial samples distinguishes acute from chronic injury

# B-type natriuretic peptide
range: below 100 pg/mL in most adults without heart failure
what: a hormone released by the ventricles in response to stretch
high: heart failure; pulmonary embolism; kidney failure; older age
low: obesity may lower the value
note: it is useful when the cause of breathlessness is uncertain

# serum lipase
range: up to about 160 U/L, depending on the method
what: a pancreatic enzyme that digests fat
high: acute pancreatitis; kidney failure; bowel obstruction
low: advanced chronic pancreatitis
note: a value at least three times the upper limit supports acute pancreatitis | the level does not reflect
  severity

# serum urate
range: about 3.5 to 7.2 mg/dL in men and 2.6 to 6.0 mg/dL in women
what: the end product of purine metabolism in humans
high: gout; kidney disease; diuretic treatment; tumor lysis syndrome
low: allopurinol treatment; some inherited transport defects
note: urate crystals form in tissue above about 6.8 mg/dL | the value may be normal during an acute attack
  of gout

# arterial blood pH
range: 7.35 to 7.45
what: a measure of the hydrogen ion concentration of arterial blood
high: vomiting; hyperventilation; diuretic treatment
low: diabetic ketoacidosis; lactic acidosis; kidney failure; hypoventilation
note: the bicarbonate and the carbon dioxide pressure show whether a disorder is metabolic or respiratory |
  compensation rarely returns the pH fully to normal

# serum lactate
range: 0.5 to 2.0 mmol/L
what: the product of anaerobic glycolysis
high: septic shock; seizures; severe hypoxemia; liver failure; mesenteric ischemia
low: low values have no clinical importance
note: a falling value during resuscitation is a favorable sign

# 25-hydroxyvitamin D
range: 20 to 50 ng/mL
what: the storage form of vitamin D and the best marker of vitamin D status
high: excess supplementation
low: little sun exposure; malabsorption; obesity; nephrotic syndrome
note: severe deficiency causes rickets in children and osteomalacia in adults

# LDL cholesterol
range: below 100 mg/dL as a desirable level for most adults
what: the cholesterol carried by low-density lipoprotein, a cause of atherosclerosis
high: familial hypercholesterolemia; a diet rich in saturated fat; hypothyroidism; nephrotic syndrome
low: statin treatment; severe illness; malabsorption
note: lower targets apply after myocardial infarction or stroke

# morning cortisol
range: about 5 to 25 mcg/dL at 8 in the morning
what: the main glucocorticoid of the adrenal cortex
high: Cushing syndrome; acute stress; estrogen treatment, which raises the binding protein
low: adrenal insufficiency; long-term glucocorticoid treatment
note: secretion follows a daily rhythm with a peak soon after waking

# urine albumin-to-creatinine ratio
range: below 30 mg/g
what: a spot urine measure that estimates daily albumin excretion
high: diabetic kidney disease; hypertension; glomerulonephritis; fever or vigorous exercise for a short time
low: a low value is normal
note: two of three samples over several months should be abnormal before kidney disease is diagnosed
"""
