-- Which of several names of a group is the newest: reports come in any order.

ALTER TABLE chat
    -- When the report was made that the name is from.
    ADD COLUMN name_at timestamptz;
