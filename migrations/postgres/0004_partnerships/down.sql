DROP TABLE mandates;
DROP TABLE house_rules;
DROP TABLE communication_plans;
DROP TABLE perimeters;
DROP TABLE partnership_municipalities;
DROP TABLE partnerships;
