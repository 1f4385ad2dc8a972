"""Which drugs, side effects, tests and fields are too close to share a multiple-choice question; written by hand."""

from __future__ import annotations

import re

# What a drug acts on or is given for; it is never a wrong option in a question about a drug of the same area.
AREAS = {
    area: frozenset(names.split("; "))
    for area, names in {
        "diabetes and weight": "metformin; empagliflozin; semaglutide; insulin glargine; glipizide; topiramate; "
        "hydroxychloroquine",
        "circulation": "empagliflozin; semaglutide; lisinopril; losartan; amlodipine; metoprolol; carvedilol; "
        "chlorthalidone; furosemide; spironolactone; sacubitril-valsartan; atorvastatin; aspirin; clopidogrel; "
        "nitroglycerin; apixaban; warfarin; enoxaparin; amiodarone; digoxin; propranolol; labetalol; alteplase; "
        "tamsulosin; morphine; colchicine; allopurinol",
        "liver": "spironolactone; furosemide; carvedilol; propranolol; lactulose",
        "infection": "amoxicillin; amoxicillin-clavulanate; ceftriaxone; azithromycin; doxycycline; ciprofloxacin; "
        "nitrofurantoin; cephalexin; vancomycin; isoniazid; rifampin; oseltamivir; artemether-lumefantrine; "
        "hydroxychloroquine; omeprazole; lactulose",
        "breathing": "albuterol; budesonide-formoterol; tiotropium; montelukast; prednisone; hydrocortisone; "
        "azithromycin; morphine; furosemide",
        "inflammation": "prednisone; hydrocortisone; budesonide-formoterol; mesalamine; infliximab; methotrexate; "
        "hydroxychloroquine; colchicine; ibuprofen; aspirin; montelukast; doxycycline",
        "pain": "aspirin; ibuprofen; acetaminophen; morphine; colchicine; allopurinol; prednisone; sumatriptan; "
        "topiramate; propranolol; metoprolol; lisinopril; losartan; hydrocortisone",
        "gut": "omeprazole; ondansetron; lactulose; mesalamine; infliximab; prednisone; methotrexate; "
        "ciprofloxacin; vancomycin",
        "brain": "sumatriptan; topiramate; propranolol; levetiracetam; lamotrigine; carbidopa-levodopa; donepezil; "
        "sertraline; escitalopram; buspirone; ondansetron; morphine",
        "hormones": "levothyroxine; methimazole; propranolol; hydrocortisone; prednisone; letrozole; finasteride; "
        "spironolactone; metformin; alendronate",
        "blood and cancer": "ferrous sulfate; cyanocobalamin; hydroxyurea; methotrexate; letrozole; finasteride; "
        "allopurinol; ondansetron; morphine; prednisone; hydrocortisone; levothyroxine; aspirin",
        "urinary tract": "tamsulosin; finasteride; nitrofurantoin; ciprofloxacin; chlorthalidone; allopurinol; "
        "losartan; lisinopril; ibuprofen; prednisone",
        "skin": "hydrocortisone; prednisone; methotrexate; doxycycline; spironolactone; finasteride",
        "eye": "latanoprost; propranolol; metoprolol; carvedilol; labetalol; topiramate",
    }.items()
}

# Side effects that point to one drug, and further drugs or areas that may cause something like them.
EFFECTS = {
    drug: (effect, frozenset(others.split("; ")))
    for drug, effect, others in (
        ("lisinopril", "dry cough", "methotrexate; budesonide-formoterol; tiotropium"),
        ("amlodipine", "ankle swelling", "ibuprofen; prednisone; hydrocortisone"),
        ("spironolactone", "breast tenderness", "finasteride"),
        ("atorvastatin", "rhabdomyolysis", "colchicine; infection"),
        ("digoxin", "yellow-tinted vision", ""),
        ("amiodarone", "corneal deposits", "hydroxychloroquine"),
        ("warfarin", "skin necrosis", ""),
        ("enoxaparin", "heparin-induced thrombocytopenia", ""),
        ("aspirin", "Reye syndrome in children with viral illness", ""),
        ("metoprolol", "rebound angina when stopped suddenly", ""),
        ("furosemide", "hearing loss with rapid high-dose injection", "vancomycin"),
        ("labetalol", "scalp tingling", "topiramate; sumatriptan"),
        ("alteplase", "intracranial hemorrhage", "ibuprofen; sertraline; escitalopram"),
        ("metformin", "lactic acidosis", "albuterol; budesonide-formoterol; topiramate; isoniazid"),
        ("empagliflozin", "genital yeast infection", "infection; inflammation"),
        ("semaglutide", "gallbladder disease", "ceftriaxone"),
        ("insulin glargine", "severe hypoglycemia", "ciprofloxacin; propranolol"),
        ("methimazole", "agranulocytosis", "infection; inflammation; hydroxyurea"),
        ("prednisone", "adrenal suppression", ""),
        ("hydrocortisone", "skin thinning with prolonged topical use", ""),
        ("alendronate", "osteonecrosis of the jaw", ""),
        ("allopurinol", "gout flare soon after starting", "chlorthalidone; furosemide"),
        ("ferrous sulfate", "dark stools", "ibuprofen; aspirin; warfarin; apixaban"),
        ("hydroxyurea", "darkening of the nails", "doxycycline"),
        ("budesonide-formoterol", "oral thrush", "infection"),
        ("ceftriaxone", "biliary sludge", "semaglutide"),
        ("doxycycline", "esophageal ulceration", "alendronate; pain; ferrous sulfate"),
        ("ciprofloxacin", "tendon rupture", "inflammation; atorvastatin"),
        ("nitrofurantoin", "brown urine", "carbidopa-levodopa; atorvastatin"),
        ("vancomycin", "flushing during rapid infusion", ""),
        ("rifampin", "orange body fluids", ""),
        ("omeprazole", "low magnesium with long use", "furosemide; chlorthalidone; digoxin"),
        ("infliximab", "reactivation of tuberculosis", ""),
        (
            "acetaminophen",
            "liver failure in overdose",
            "infection; inflammation; ferrous sulfate; labetalol; amiodarone; atorvastatin; methimazole",
        ),
        ("morphine", "respiratory depression", ""),
        ("methotrexate", "mouth ulcers", "hydroxyurea; lamotrigine"),
        ("hydroxychloroquine", "retinal toxicity", ""),
        ("sumatriptan", "coronary vasospasm", ""),
        ("topiramate", "kidney stones", "furosemide; infection"),
        ("lamotrigine", "Stevens-Johnson syndrome", "infection; pain"),
        ("carbidopa-levodopa", "dyskinesia", ""),
        ("tamsulosin", "floppy iris during cataract surgery", ""),
        ("latanoprost", "darkening of the iris", ""),
        ("letrozole", "hot flashes", ""),
    )
}

# Tests whose finding is no proof of the condition: others of the table may show the same.
_TESTS = (
    "high-sensitivity cardiac troponin; cardiac troponin; blood eosinophil count; arterial blood gas; procalcitonin; "
    "transthoracic echocardiography; Epworth Sleepiness Scale; serum potassium; serum electrolytes; venous blood gas; "
    "parathyroid hormone; serum 25-hydroxyvitamin D; serum calcium; post-void residual volume; serum urate; "
    "serum albumin; total cholesterol; total bilirubin; hematocrit; international normalized ratio; stool culture; "
    "computed tomography of chest, abdomen and pelvis; noncontrast head computed tomography; capillary glucose; "
    "neurological examination; headache diary; head computed tomography; transferrin saturation; methylmalonic acid; "
    "skin swab; rapid antigen test; serology; pulse oximetry; oral glucose tolerance test; liver transaminases; "
    "color Doppler ultrasonography; axillary ultrasonography; multiparametric magnetic resonance imaging; "
    "trial of acid suppression; abdominal imaging with ultrasonography or computed tomography; "
    "C-peptide; supervised levodopa trial; complement C3; random plasma glucose; ascitic fluid analysis; "
    "ambulatory blood pressure monitoring; urine protein-to-creatinine ratio; duplex ultrasonography; "
    "nucleic acid test of a nasal swab"
)
VAGUE_TESTS = frozenset(_TESTS.split("; "))
# Uses that say little without their drug.
VAGUE_USE = re.compile(
    r"\b(selected|unsuitable|certain|other|dose|remission|combination|(?<!heart )failure)\b"
    r"|\b(early|add-on|by|exposure|valves)\b"
)

# Fields whose conditions may look alike.
NEAR_FIELDS = {
    "vascular medicine": "cardiology",
    "vascular surgery": "cardiology",
    "pulmonology": "cardiology",
    "sleep medicine": "cardiology",
    "pediatric nephrology": "nephrology",
    "urology": "nephrology",
    "general surgery": "gastroenterology",
    "hepatology": "gastroenterology",
    "oncology": "gastroenterology",
    "geriatrics": "neurology",
    "psychiatry": "neurology",
    "ophthalmology": "neurology",
    "obstetrics": "gynecology",
}
