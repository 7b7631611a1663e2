-- Which currencies there are at all is asked for each page of a close: from both ends of an index, however many
-- agreements there are.
CREATE INDEX agreement_terms_by_currency ON agreement_terms (currency);
