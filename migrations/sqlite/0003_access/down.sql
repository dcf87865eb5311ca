DROP TABLE answers;
DROP TABLE decisions;
DROP TABLE throttles;
DROP TABLE grants;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE account_tokens;
DROP TABLE accounts;
