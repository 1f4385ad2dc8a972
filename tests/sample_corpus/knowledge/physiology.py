"""Topics of anatomy, physiology, pharmacology and epidemiology (parsed by ``records.parse_topics``)."""

TEXT = """
# the cardiac cycle
- The cardiac cycle comprises all events from the start of one heartbeat to the start of the next.
- At a heart rate of 75 beats per minute, one cycle lasts about 0.8 seconds.
- Ventricular filling is mostly passive, and atrial contraction adds roughly the last fifth of the volume at
  rest.
- The first heart sound marks closure of the mitral and tricuspid valves.
- The second heart sound marks closure of the aortic and pulmonary valves.
- During isovolumetric contraction all four valves are closed and pressure rises without a change in volume.
- Stroke volume is the difference between end-diastolic and end-systolic volume.
- Ejection fraction is stroke volume divided by end-diastolic volume and is normally above about 55%.
- Coronary flow to the left ventricle occurs mainly in diastole, when the muscle is relaxed.
- Tachycardia shortens diastole more than systole and may compromise filling.

# regulation of blood pressure
- Mean arterial pressure is the product of cardiac output and systemic vascular resistance.
- Baroreceptors in the carotid sinus and the aortic arch sense stretch of the vessel wall.
- A sudden fall in pressure reduces baroreceptor firing and increases sympathetic activity within seconds.
- The kidneys control blood pressure in the long term through sodium and water balance.
- Renin is released when renal perfusion falls or when sympathetic nerves stimulate the juxtaglomerular
  cells.
- Angiotensin II constricts arterioles and stimulates aldosterone secretion.
- Arterioles are the main site of vascular resistance because flow depends on the fourth power of the
  radius.
- Natriuretic peptides oppose the renin-angiotensin system and promote sodium excretion.
- Standing upright shifts several hundred milliliters of blood to the legs.

# gas exchange in the lung
- Oxygen and carbon dioxide cross the alveolar membrane by diffusion.
- The human lung contains several hundred million alveoli with a total surface of roughly 70 square meters.
- Ventilation and perfusion must be matched for efficient gas exchange.
- Both ventilation and perfusion are greater at the base of the upright lung than at the apex.
- Hypoxic pulmonary vasoconstriction diverts blood away from poorly ventilated regions.
- Most oxygen in blood is bound to hemoglobin, and only a small share is dissolved.
- The oxygen dissociation curve is sigmoid because binding is cooperative.
- A fall in pH, a rise in temperature or more 2,3-bisphosphoglycerate shifts the curve to the right.
- Carbon monoxide binds hemoglobin more than 200 times as strongly as oxygen does.
- Carbon dioxide is carried mainly as bicarbonate.

# control of breathing
- The respiratory rhythm is generated in the medulla oblongata.
- Central chemoreceptors respond to changes in the pH of cerebrospinal fluid.
- Carbon dioxide is the main chemical stimulus to breathing in healthy people.
- Peripheral chemoreceptors in the carotid bodies respond to low arterial oxygen.
- The diaphragm is supplied by the phrenic nerves from the third to the fifth cervical segments.
- Quiet expiration is passive and depends on elastic recoil of the lungs.
- Voluntary hyperventilation lowers carbon dioxide and may cause tingling of the fingers.
- Opioids depress breathing by reducing the sensitivity of the medullary centers.

# glomerular filtration
- The kidneys receive about one fifth of the cardiac output at rest.
- Normal glomerular filtration in a healthy young adult is about 125 mL per minute, or 180 liters per day.
- More than 99% of the filtered water is reabsorbed along the tubule.
- The filtration barrier consists of fenestrated endothelium, basement membrane and podocytes.
- Albumin is held back by both its size and its negative charge.
- Afferent arteriolar constriction lowers filtration, while efferent constriction tends to maintain it.
- Angiotensin-converting enzyme inhibitors dilate the efferent arteriole and reduce intraglomerular
  pressure.
- Autoregulation keeps filtration stable over a wide range of arterial pressure.
- Inulin clearance is the classical reference method for measuring filtration.

# tubular function of the kidney
- The proximal tubule reabsorbs about two thirds of filtered sodium and water.
- All filtered glucose is normally reabsorbed in the proximal tubule.
- Glucose appears in the urine when the plasma level exceeds roughly 180 mg/dL.
- The thick ascending limb of the loop of Henle reabsorbs salt without water and so dilutes the urine.
- Loop diuretics act in the thick ascending limb, and thiazides act in the distal convoluted tubule.
- Aldosterone acts on the collecting duct to retain sodium and excrete potassium.
- Antidiuretic hormone inserts aquaporin-2 channels into the collecting duct.
- The countercurrent arrangement of the loops makes the inner medulla hyperosmolar.
- The kidney excretes acid mainly as ammonium and as phosphate.

# acid-base balance
- The normal pH of arterial blood lies between 7.35 and 7.45.
- The bicarbonate buffer system links lung and kidney because carbon dioxide is excreted in breath and
  bicarbonate is regulated by the kidney.
- Metabolic acidosis is characterized by a low bicarbonate and a low pH.
- The anion gap is calculated as sodium minus the sum of chloride and bicarbonate.
- A high anion gap suggests accumulation of acids such as lactate or ketones.
- Vomiting causes metabolic alkalosis through loss of hydrochloric acid.
- Respiratory compensation begins within minutes, while renal compensation takes days.
- Hypoventilation leads to respiratory acidosis with a high carbon dioxide pressure.
- A normal anion gap acidosis occurs with severe diarrhea and with renal tubular acidosis.

# insulin and glucagon
- Insulin is secreted by the beta cells of the pancreatic islets in response to glucose.
- Glucose enters the beta cell, and the resulting ATP closes potassium channels and triggers insulin
  release.
- Insulin promotes glucose uptake in muscle and fat by moving GLUT4 transporters to the cell surface.
- Glucagon from the alpha cells stimulates glycogen breakdown and gluconeogenesis in the liver.
- C-peptide is released in equal molar amounts with insulin and reflects endogenous secretion.
- Gut hormones such as glucagon-like peptide-1 increase insulin secretion after a meal.
- The brain takes up glucose without the help of insulin.
- During fasting the liver supplies glucose first from glycogen and later by gluconeogenesis.
- Prolonged fasting leads to the production of ketone bodies, which the brain can use as fuel.

# thyroid hormone
- The thyroid gland produces thyroxine and a smaller amount of triiodothyronine.
- Iodine is essential for the synthesis of thyroid hormone.
- Thyroid peroxidase attaches iodine to tyrosine residues of thyroglobulin.
- Most circulating thyroid hormone is bound to protein, and only the free fraction is active.
- Thyroxine is converted to the more active triiodothyronine in peripheral tissues.
- The hypothalamus and the pituitary control the gland through negative feedback.
- Thyroid hormone raises the basal metabolic rate and heat production.
- Thyroid hormone is required for normal brain development in the fetus and the infant.
- Severe iodine deficiency in pregnancy may cause intellectual disability in the child.

# adrenal hormones
- The adrenal cortex has three zones, which produce aldosterone, cortisol and androgens.
- The adrenal medulla secretes epinephrine and norepinephrine.
- Cortisol secretion peaks in the early morning and is lowest around midnight.
- Cortisol raises blood glucose and restrains inflammation.
- Aldosterone secretion is controlled mainly by angiotensin II and by potassium.
- Long-term treatment with glucocorticoids suppresses the pituitary-adrenal axis.
- Sudden withdrawal of long-term glucocorticoids can precipitate adrenal crisis.
- Congenital adrenal hyperplasia is most often due to 21-hydroxylase deficiency.

# calcium and bone
- About 99% of body calcium is stored in bone.
- Parathyroid hormone raises serum calcium by acting on bone and kidney.
- Parathyroid hormone also stimulates the kidney to activate vitamin D.
- Active vitamin D increases calcium and phosphate absorption from the gut.
- Osteoclasts resorb bone, and osteoblasts form it.
- Peak bone mass is usually reached by the end of the third decade of life.
- Estrogen restrains bone resorption, which explains rapid bone loss after the menopause.
- Mechanical loading stimulates bone formation.
- Low calcium increases nerve excitability and may cause tetany.

# hemostasis
- Hemostasis begins with vasoconstriction and the formation of a platelet plug.
- Platelets adhere to exposed collagen with the help of von Willebrand factor.
- Tissue factor starts the coagulation cascade by binding factor VIIa.
- Thrombin converts fibrinogen to fibrin and activates platelets.
- Factor XIII cross-links fibrin and stabilizes the clot.
- Antithrombin, protein C and protein S limit clot formation.
- Plasmin digests fibrin and releases D-dimer.
- Vitamin K is needed for factors II, VII, IX and X.
- Hemophilia A is an inherited deficiency of factor VIII.

# red blood cells and iron
- Red blood cells circulate for about 120 days.
- Erythropoietin from the kidney stimulates red cell production.
- Each hemoglobin molecule carries up to four molecules of oxygen.
- Iron is absorbed mainly in the duodenum.
- Hepcidin from the liver lowers iron absorption and iron release from stores.
- Inflammation raises hepcidin and so restricts iron for red cell production.
- Transferrin carries iron in plasma, and ferritin stores it in cells.
- The body has no regulated route for excreting excess iron.
- Macrophages in the spleen remove aged red blood cells and recycle their iron.

# innate immunity
- Innate immunity acts within minutes to hours and does not require previous exposure.
- Skin and mucous membranes form the first physical barrier.
- Toll-like receptors recognize molecular patterns shared by many microbes.
- Neutrophils are usually the first white cells to reach a site of bacterial infection.
- Macrophages engulf microbes and release cytokines such as interleukin-1 and tumor necrosis factor.
- The complement system marks microbes for phagocytosis and can lyse some of them directly.
- Natural killer cells destroy virus-infected cells that lack normal surface molecules.
- Fever results from cytokines that raise the set point of the hypothalamus.

# adaptive immunity
- Adaptive immunity is specific and develops memory.
- B lymphocytes produce antibodies, and T lymphocytes coordinate responses or kill infected cells.
- Helper T cells recognize peptides presented on class II molecules.
- Cytotoxic T cells recognize peptides presented on class I molecules.
- IgM is the first antibody to appear in a new infection.
- IgG crosses the placenta and protects the newborn for several months.
- IgA is the main antibody of mucosal secretions and breast milk.
- Vaccines induce memory cells without causing the disease.
- Conjugate vaccines link a polysaccharide to a protein to obtain help from T cells.

# digestion and absorption
- Salivary amylase begins the digestion of starch in the mouth.
- Parietal cells secrete hydrochloric acid and intrinsic factor.
- Secretin stimulates the pancreas to release bicarbonate-rich fluid.
- Cholecystokinin contracts the gallbladder and stimulates pancreatic enzyme release.
- Bile salts form micelles that carry fat to the intestinal surface.
- Most nutrients are absorbed in the jejunum.
- Vitamin B12 and bile salts are absorbed in the terminal ileum.
- Villi and microvilli greatly enlarge the absorptive surface.
- The colon absorbs water and harbors a dense community of bacteria.

# functions of the liver
- The liver receives about three quarters of its blood from the portal vein.
- The liver stores glucose as glycogen and releases it between meals.
- The liver makes albumin, clotting factors and many transport proteins.
- The liver converts ammonia to urea for excretion by the kidney.
- Bilirubin is conjugated with glucuronic acid before excretion into bile.
- Cytochrome P450 enzymes metabolize many drugs.
- Kupffer cells remove bacteria and debris from portal blood.
- The liver can regrow after partial removal.
- First-pass metabolism reduces the oral availability of many drugs.

# the nerve impulse
- The resting potential of a typical neuron is about -70 mV.
- The sodium-potassium pump moves three sodium ions out and two potassium ions into the cell.
- An action potential begins when voltage-gated sodium channels open.
- Potassium efflux restores the resting potential.
- Myelin speeds conduction because impulses jump from node to node.
- Local anesthetics block voltage-gated sodium channels.
- Calcium entry into the nerve terminal triggers release of neurotransmitter.
- Multiple sclerosis damages myelin in the central nervous system.
- Glutamate is the main excitatory transmitter of the brain, and GABA is the main inhibitory one.

# muscle contraction
- Skeletal muscle contracts when actin and myosin filaments slide past each other.
- Acetylcholine released at the neuromuscular junction opens channels in the muscle membrane.
- Calcium released from the sarcoplasmic reticulum binds troponin and permits contraction.
- ATP is required both for the power stroke cycle and for relaxation.
- Smooth muscle contraction depends on calmodulin and myosin light chain kinase.
- Myasthenia gravis is caused by antibodies that impair neuromuscular transmission.
- Slow fibers resist fatigue, while fast fibers generate more power for a short time.
- Rigor mortis occurs because myosin cannot detach from actin without ATP.

# sleep
- Normal sleep alternates between rapid eye movement sleep and non-rapid eye movement sleep.
- One sleep cycle lasts roughly 90 minutes in adults.
- Deep slow-wave sleep predominates in the first part of the night.
- Most vivid dreams are reported after waking from rapid eye movement sleep.
- Melatonin from the pineal gland rises in the evening.
- The suprachiasmatic nucleus is the main clock of the brain.
- Bright light in the evening delays the body clock.
- Most adults need seven to nine hours of sleep.
- Caffeine promotes wakefulness by blocking adenosine receptors.

# vitamins
- Vitamins A, D, E and K are fat soluble.
- Vitamin C is needed for the cross-linking of collagen.
- Scurvy causes bleeding gums and poor wound healing.
- Thiamine deficiency may cause Wernicke encephalopathy.
- Niacin deficiency causes pellagra, with dermatitis, diarrhea and dementia.
- Folate before and during early pregnancy lowers the risk of neural tube defects.
- Vitamin A deficiency is a leading preventable cause of childhood blindness in poor regions.
- Newborns receive vitamin K to prevent bleeding.
- Vitamin B12 is found naturally in foods of animal origin.

# pharmacokinetics
- Pharmacokinetics describes absorption, distribution, metabolism and excretion of drugs.
- Bioavailability is the fraction of a dose that reaches the systemic circulation unchanged.
- Volume of distribution relates the amount of drug in the body to its plasma concentration.
- Clearance is the volume of plasma from which drug is removed per unit of time.
- After about five half-lives a drug given regularly reaches a steady state.
- A loading dose shortens the time needed to reach an effective concentration.
- Zero-order elimination means that a constant amount is removed per unit of time.
- Grapefruit juice inhibits intestinal CYP3A4 and raises the level of several drugs.
- Kidney impairment calls for lower doses of many renally cleared drugs.

# pharmacodynamics
- An agonist activates a receptor, whereas an antagonist prevents activation.
- A partial agonist produces less than the maximal response even at full occupancy.
- Potency describes the dose needed for an effect, and efficacy describes the maximal effect.
- A competitive antagonist shifts the dose-response curve to the right.
- The therapeutic index compares a toxic dose with an effective dose.
- Tolerance means that a larger dose is required for the same effect.
- Drugs with a narrow therapeutic index require close monitoring.
- Idiosyncratic reactions are unpredictable and not clearly related to dose.

# evaluation of diagnostic tests
- Sensitivity is the proportion of people with a disease who test positive.
- Specificity is the proportion of people without a disease who test negative.
- Predictive values depend on how common the disease is in the tested population.
- A highly sensitive test is useful for ruling out a disease when the result is negative.
- A highly specific test is useful for ruling in a disease when the result is positive.
- The likelihood ratio combines sensitivity and specificity in one number.
- Lowering the cutoff of a test raises sensitivity at the cost of specificity.
- Screening may appear to prolong survival because of lead-time bias.

# clinical trial design
- Random allocation balances known and unknown factors between groups.
- Blinding reduces bias in treatment and in the assessment of outcomes.
- Intention-to-treat analysis keeps participants in the group to which they were assigned.
- The primary outcome should be defined before the trial starts.
- A confidence interval shows the range of effects compatible with the data.
- The number needed to treat is the inverse of the absolute risk reduction.
- A crossover design lets each participant serve as their own control.
- Independent ethical review protects the rights of participants.
- Trials may be stopped early for clear benefit, for harm or for futility.

# principles of infection control
- Hand hygiene is the single most important measure to prevent spread of infection in hospitals.
- Alcohol-based hand rub does not reliably kill spores of Clostridioides difficile.
- Airborne precautions are needed for tuberculosis, measles and chickenpox.
- Droplet precautions are used for influenza and pertussis.
- Contact precautions include gloves and gown.
- Antibiotic stewardship slows the emergence of resistance.
- Removing unneeded catheters lowers the risk of bloodstream and urinary infection.
- Surgical prophylaxis should be given within an hour before the incision for most antibiotics.
- Sharps must be discarded in puncture-resistant containers.

# wound healing
- Wound healing proceeds through hemostasis, inflammation, proliferation and remodeling.
- Neutrophils dominate in the first day or two, and macrophages follow.
- Fibroblasts produce collagen during the proliferative phase.
- Granulation tissue contains many new capillaries.
- Scar tissue reaches at most about 80% of the strength of uninjured skin.
- Diabetes, poor blood flow, smoking and malnutrition delay healing.
- A moist wound environment favors the growth of new epithelium.
- Prolonged treatment with glucocorticoids impairs collagen formation.

# normal pregnancy
- Pregnancy lasts about 40 weeks from the first day of the last menstrual period.
- Human chorionic gonadotropin maintains the corpus luteum in early pregnancy.
- Maternal blood volume rises by about 40 to 50%.
- Blood pressure usually falls slightly in the middle of pregnancy.
- Glomerular filtration increases by about half, so that serum creatinine falls.
- The placenta exchanges gases, nutrients and waste between mother and fetus.
- Insulin resistance increases in the second half of pregnancy.
- Pregnancy is a hypercoagulable state that raises the risk of venous thrombosis.
- Fetal movements are usually felt from about 18 to 20 weeks in a first pregnancy.

# vision
- Light is focused by the cornea and the lens on the retina.
- The cornea provides about two thirds of the focusing power of the eye.
- Rods serve vision in dim light, and cones serve color and detail.
- The fovea contains densely packed cones and gives the sharpest vision.
- The optic disc has no photoreceptors and creates the blind spot.
- The lens becomes stiffer with age, which makes near focus harder.
- Fibers from the nasal half of each retina cross at the optic chiasm.
- Aqueous humor drains through the trabecular meshwork.

# hearing and balance
- Sound waves move the eardrum and the three small bones of the middle ear.
- Hair cells in the cochlea convert vibration to nerve signals.
- High tones are detected at the base of the cochlea and low tones at its apex.
- The semicircular canals sense rotation of the head.
- The utricle and the saccule sense gravity and straight-line acceleration.
- Loud noise can permanently damage hair cells.
- Benign positional vertigo is caused by loose crystals in a semicircular canal.
- Aminoglycoside antibiotics may damage the inner ear.
- The Eustachian tube equalizes pressure on the two sides of the eardrum.
"""
