"""Drugs for airways, infection and digestion (parsed by ``records.parse_drugs``)."""

TEXT = """
# albuterol
class: short-acting beta-2 agonist
mech: relaxes airway smooth muscle by stimulating beta-2 receptors
pk: inhaled doses act within five minutes and last four to six hours
use: quick relief in asthma; prevention of exercise-induced bronchospasm; relief of breathlessness in
  chronic obstructive pulmonary disease
ae: tremor; palpitations; nervousness
serious: low potassium at high doses; paradoxical bronchospasm
avoid: reliance on it alone for persistent asthma
mon: frequency of use; peak flow; heart rate
inter: nonselective beta blockers oppose its effect
dose: two inhalations of 90 mcg are used every four to six hours as needed
teach: shake the inhaler before use; seek advice if it is needed more than two days a week

# budesonide-formoterol
class: combination of an inhaled corticosteroid and a long-acting beta-2 agonist
mech: budesonide reduces airway inflammation while formoterol gives rapid and prolonged bronchodilation
pk: formoterol acts within minutes and lasts about twelve hours
use: maintenance and relief in asthma; maintenance in chronic obstructive pulmonary disease
ae: oral thrush; hoarseness; tremor
serious: pneumonia in chronic obstructive pulmonary disease; paradoxical bronchospasm
avoid: use as the only treatment of an acute severe attack
mon: symptom control; inhaler technique; growth in children
inter: strong CYP3A4 inhibitors raise exposure to budesonide
dose: a common maintenance dose is two inhalations of 160/4.5 mcg twice daily
teach: rinse the mouth after each dose; do not stop it when feeling well

# tiotropium
class: long-acting muscarinic antagonist
mech: blocks M3 receptors in the airways and reduces bronchial tone for at least 24 hours
pk: little of the inhaled dose reaches the circulation
use: chronic obstructive pulmonary disease; add-on treatment of asthma
ae: dry mouth; cough; sore throat
serious: acute urinary retention; acute angle-closure glaucoma
avoid: allergy to ipratropium or related drugs
mon: lung function; urinary symptoms
inter: other anticholinergic drugs add to its side effects
dose: the contents of one 18 mcg capsule are inhaled once daily
teach: do not swallow the capsules; avoid getting powder into the eyes

# montelukast
class: leukotriene receptor antagonist
mech: blocks the cysteinyl leukotriene type 1 receptor
pk: it is taken once daily in the evening
use: add-on treatment of asthma; allergic rhinitis when other drugs are unsuitable
ae: headache; abdominal pain; sleep disturbance
serious: mood change, including suicidal thoughts
avoid: use when neuropsychiatric symptoms have occurred with it before
mon: mood and behavior; asthma control
inter: gemfibrozil raises its concentration
dose: adults take 10 mg once daily in the evening
teach: report any change in mood or sleep; keep the reliever inhaler at hand

# amoxicillin
class: aminopenicillin antibiotic
mech: inhibits bacterial cell wall synthesis by binding to penicillin-binding proteins
pk: it is well absorbed with or without food and is excreted by the kidneys
use: acute otitis media; streptococcal pharyngitis; community-acquired pneumonia in healthy adults; early
  Lyme disease
ae: diarrhea; nausea; rash
serious: anaphylaxis; Clostridioides difficile infection
avoid: a serious allergy to any penicillin
mon: signs of allergy; response of the infection
inter: a harmless widespread rash is common when it is given during infectious mononucleosis
dose: children with otitis media usually receive 80 to 90 mg/kg per day in two doses
teach: finish the course; report hives or swelling at once

# amoxicillin-clavulanate
class: penicillin combined with a beta-lactamase inhibitor
mech: clavulanate protects amoxicillin from destruction by many beta-lactamases
pk: it is best taken at the start of a meal
use: sinusitis; animal bites; diverticulitis; otitis media after amoxicillin failure
ae: diarrhea; nausea; yeast infection
serious: cholestatic liver injury; anaphylaxis
avoid: a serious penicillin allergy; previous liver injury from the drug
mon: liver tests during prolonged treatment
inter: it may increase the effect of warfarin
dose: a common adult dose is 875/125 mg twice daily
teach: take it with food; report yellow skin or dark urine

# ceftriaxone
class: third-generation cephalosporin
mech: inhibits bacterial cell wall synthesis and resists many beta-lactamases
pk: its half-life of about eight hours allows once-daily dosing in most infections
use: community-acquired pneumonia; bacterial meningitis; pyelonephritis; gonorrhea
ae: diarrhea; pain at the injection site; rash
serious: anaphylaxis; biliary sludge; Clostridioides difficile infection
avoid: newborns with jaundice; use with calcium-containing infusions in newborns
mon: blood count during long courses; bilirubin when biliary symptoms occur
inter: it must not be mixed with calcium-containing solutions in one line
dose: adults commonly receive 1 to 2 g once daily, and meningitis requires 2 g every 12 hours
teach: report rash or wheeze; report severe diarrhea

# azithromycin
class: macrolide antibiotic
mech: binds the 50S ribosomal subunit and blocks bacterial protein synthesis
pk: it concentrates in tissues, and its long half-life permits short courses
use: atypical pneumonia; chlamydial infection; exacerbation of chronic obstructive pulmonary disease
ae: nausea; diarrhea; abdominal pain
serious: prolonged QT interval; liver injury
avoid: known long QT syndrome; previous cholestatic jaundice from the drug
mon: electrocardiogram in patients at risk; liver tests when symptoms occur
inter: other drugs that prolong the QT interval increase the risk of arrhythmia
dose: a common regimen is 500 mg on the first day followed by 250 mg daily for four days
teach: take it at the same time each day; report palpitations or fainting

# doxycycline
class: tetracycline antibiotic
mech: binds the 30S ribosomal subunit and stops bacterial protein synthesis
pk: it is well absorbed and needs no adjustment in kidney impairment
use: early Lyme disease; community-acquired pneumonia; acne; malaria prevention
ae: nausea; sensitivity to sunlight; heartburn
serious: esophageal ulceration; raised intracranial pressure
avoid: the second half of pregnancy; prolonged use in young children
mon: response of the infection; skin reactions
inter: calcium, iron and antacids bind it in the gut
dose: the usual adult dose is 100 mg twice daily
teach: swallow it with a full glass of water while upright; protect the skin from the sun

# ciprofloxacin
class: fluoroquinolone antibiotic
mech: inhibits bacterial DNA gyrase and topoisomerase IV
pk: it is well absorbed and concentrates in the urine
use: pyelonephritis; bacterial prostatitis; infectious diarrhea in selected cases
ae: nausea; diarrhea; headache
serious: tendon rupture; nerve damage; aortic dissection; prolonged QT interval
avoid: myasthenia gravis; use with tizanidine; minor infections for which safer drugs exist
mon: tendon pain; glucose in people with diabetes
inter: antacids and dairy products lower its absorption
dose: a common dose for pyelonephritis is 500 mg twice daily for seven days
teach: stop it and call for tendon pain; drink plenty of fluids

# nitrofurantoin
class: urinary antibacterial drug
mech: is reduced by bacteria to reactive products that damage DNA and ribosomes
pk: therapeutic concentrations are reached only in the urine
use: acute uncomplicated cystitis; prevention of recurrent cystitis
ae: nausea; headache; brown urine
serious: lung reaction; liver injury; peripheral neuropathy with long use
avoid: marked kidney impairment; the last weeks of pregnancy; suspected pyelonephritis
mon: lung symptoms and liver tests during long-term use
inter: magnesium-containing antacids lower its absorption
dose: the extended form is given as 100 mg twice daily for five days
teach: take it with food; expect a harmless change in urine color

# cephalexin
class: first-generation cephalosporin
mech: inhibits bacterial cell wall synthesis
pk: it is rapidly absorbed and is excreted unchanged in the urine
use: cellulitis; uncomplicated urinary infection; streptococcal pharyngitis in selected patients
ae: diarrhea; nausea; rash
serious: anaphylaxis; Clostridioides difficile infection
avoid: previous anaphylaxis to a cephalosporin
mon: response of the infection; kidney function in older patients
inter: probenecid slows its excretion
dose: the usual adult dose is 500 mg four times daily
teach: finish the course; report a rash

# vancomycin
class: glycopeptide antibiotic
mech: binds the D-alanyl-D-alanine end of cell wall precursors in gram-positive bacteria
pk: it is cleared by the kidneys and is not absorbed from the gut
use: methicillin-resistant Staphylococcus aureus infection; bacterial meningitis in combination;
  Clostridioides difficile infection by mouth
ae: flushing during rapid infusion; phlebitis; chills
serious: kidney injury; hearing loss; low neutrophil count
avoid: rapid infusion; unnecessary combination with other nephrotoxic drugs
mon: drug concentrations; creatinine; blood count
inter: its combination with piperacillin-tazobactam is associated with a greater risk of kidney injury
dose: adults often receive 15 to 20 mg/kg every 8 to 12 hours, adjusted to concentrations
teach: report itching or flushing during the infusion; report reduced urine output

# isoniazid
class: antituberculosis drug
mech: blocks the synthesis of mycolic acid in the mycobacterial cell wall
pk: it is inactivated by acetylation, the speed of which is inherited
use: active tuberculosis in combination; latent tuberculosis infection
ae: mild rise in liver enzymes; nausea; rash
serious: hepatitis; peripheral neuropathy
avoid: acute liver disease; previous isoniazid hepatitis
mon: liver enzymes in people at risk; symptoms of neuropathy
inter: it raises the concentrations of phenytoin and carbamazepine
dose: adults usually take 300 mg once daily with pyridoxine
teach: avoid alcohol; report loss of appetite or dark urine

# rifampin
class: rifamycin antibiotic
mech: inhibits bacterial DNA-dependent RNA polymerase
pk: it strongly induces liver enzymes and drug transporters
use: active tuberculosis in combination; latent tuberculosis infection; prevention of meningococcal disease
  in contacts
ae: orange body fluids; nausea; rash
serious: hepatitis; thrombocytopenia
avoid: use with certain antiviral drugs whose levels it lowers; jaundice
mon: liver enzymes; blood count; drug interactions
inter: it makes oral contraceptives, warfarin and many other drugs less effective
dose: adults usually take 600 mg once daily on an empty stomach
teach: expect orange urine and tears; use nonhormonal contraception

# oseltamivir
class: influenza neuraminidase inhibitor
mech: prevents the release of new influenza virus from infected cells
pk: it is converted in the liver to the active carboxylate
use: treatment of influenza; prevention after exposure in people at high risk
ae: nausea; vomiting; headache
serious: rare neuropsychiatric events; severe skin reactions
avoid: allergy to the drug
mon: response of symptoms; kidney function for dosing
inter: it may reduce the effect of the live intranasal influenza vaccine
dose: adults take 75 mg twice daily for five days
teach: start within 48 hours of symptoms; take it with food to reduce nausea

# artemether-lumefantrine
class: artemisinin-based combination antimalarial
mech: artemether clears parasites rapidly, and lumefantrine removes those that remain
pk: absorption improves greatly with fatty food
use: uncomplicated falciparum malaria
ae: headache; dizziness; loss of appetite
serious: prolonged QT interval
avoid: severe malaria; known long QT syndrome
mon: blood films until parasites have cleared; electrocardiogram in people at risk
inter: strong CYP3A4 inducers such as rifampin make it less effective
dose: adults take four tablets at 0, 8, 24, 36, 48 and 60 hours
teach: take every dose with food or milk; repeat the dose if vomiting occurs within an hour

# omeprazole
class: proton pump inhibitor
mech: irreversibly inhibits the hydrogen-potassium pump of gastric parietal cells
pk: it acts longest when taken 30 minutes before a meal
use: gastroesophageal reflux disease; peptic ulcer disease; eradication of Helicobacter pylori in
  combination
ae: headache; abdominal pain; diarrhea
serious: low magnesium with long use; Clostridioides difficile infection; interstitial nephritis
avoid: use with rilpivirine; treatment longer than needed
mon: need for continued treatment; magnesium with long-term use
inter: it may reduce the activation of clopidogrel
dose: the usual dose is 20 mg once daily before breakfast
teach: swallow the capsule whole; ask whether it is still needed after eight weeks

# ondansetron
class: serotonin 5-HT3 receptor antagonist
mech: blocks serotonin receptors on vagal nerves and in the chemoreceptor trigger zone
pk: its half-life is about four hours
use: nausea due to chemotherapy; postoperative nausea; vomiting in acute illness
ae: headache; constipation; fatigue
serious: prolonged QT interval; serotonin syndrome
avoid: congenital long QT syndrome; use with apomorphine
mon: electrocardiogram and potassium in people at risk
inter: other drugs that prolong the QT interval add to the risk of arrhythmia
dose: adults take 4 to 8 mg every eight hours as needed
teach: drink fluids to prevent constipation; report palpitations

# lactulose
class: osmotic laxative
mech: is fermented by colonic bacteria, which acidifies the gut and traps ammonia as ammonium
pk: very little is absorbed
use: hepatic encephalopathy; constipation
ae: bloating; flatulence; cramps
serious: dehydration and high sodium with excessive dosing
avoid: galactosemia; bowel obstruction
mon: stool frequency; sodium; mental state
inter: antibiotics that change gut flora may alter its effect
dose: the dose in encephalopathy is adjusted to two or three soft stools a day
teach: measure each dose; call if diarrhea becomes watery

# mesalamine
class: aminosalicylate
mech: acts locally on the colonic mucosa to reduce inflammatory mediators
pk: coated forms release the drug in the distal bowel
use: mild to moderate ulcerative colitis; maintenance of remission
ae: headache; nausea; abdominal pain
serious: interstitial nephritis; pancreatitis; paradoxical worsening of colitis
avoid: salicylate allergy; severe kidney impairment
mon: creatinine before treatment and once a year
inter: other nephrotoxic drugs add to the risk to the kidney
dose: the usual oral dose is 2.4 to 4.8 g per day
teach: swallow the tablets whole; drink enough fluid

# infliximab
class: monoclonal antibody against tumor necrosis factor alpha
mech: binds soluble and membrane-bound tumor necrosis factor
pk: its half-life is about eight to ten days
use: Crohn disease; ulcerative colitis; rheumatoid arthritis with methotrexate; ankylosing spondylitis
ae: infusion reaction; headache; upper respiratory infection
serious: reactivation of tuberculosis; serious infection; worsening of heart failure
avoid: active infection; moderate to severe heart failure at high doses
mon: tuberculosis and hepatitis B screening before treatment; signs of infection
inter: live vaccines should not be given during treatment
dose: infusions of 5 mg/kg are given at weeks 0, 2 and 6 and then every eight weeks
teach: report fever at once; keep vaccinations up to date
"""
