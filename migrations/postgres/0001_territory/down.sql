DROP TABLE zone_municipalities;
DROP TABLE zones;
DROP TABLE municipalities;
DROP TABLE provinces;
DROP TABLE regions;
