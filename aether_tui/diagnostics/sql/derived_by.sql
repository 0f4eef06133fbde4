-- Digits of the mapping and prices that stored rows follow.
SELECT value FROM meta WHERE key = 'derived_by'
