DROP TABLE receipts;
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE contents;
