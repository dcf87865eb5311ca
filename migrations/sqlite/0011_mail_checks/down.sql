DROP TABLE mail_checks;
