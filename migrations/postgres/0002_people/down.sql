DROP TABLE contact_codes;
DROP TABLE contact_points;
DROP TABLE persons;
