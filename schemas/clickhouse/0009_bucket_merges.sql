-- A month that nothing is written to any more becomes one part after a day. Closes read it several times, with FINAL, which costs nothing
-- where a partition of the table is one part.
ALTER TABLE usage_bucket MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
