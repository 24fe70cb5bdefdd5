"""Functions that a question may use: each computes from its arguments alone, and reaches nothing else.

Names as DuckDB's parser gives them: `x::DATE - INTERVAL 1 DAY` is `to_days`, `[1, 2]` is `list_value`. Operators are
made of other characters than letters, and are allowed by that.
"""

from __future__ import annotations

_AGGREGATES = """
any_value approx_count_distinct approx_quantile approx_top_k arg_max arg_min argmax argmin arbitrary array_agg avg
bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop covar_samp entropy first
geomean geometric_mean group_concat histogram kahan_sum kurtosis last listagg list mad max max_by mean median min
min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2
regr_slope reservoir_quantile sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan sum_no_overflow
fsum var_pop var_samp variance
"""
_WINDOW = (
    "cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number"
)
_NUMBERS = """
abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees divide even exp factorial floor fmod gamma gcd greatest
greatest_common_divisor isfinite isinf isnan lcm least ln log log10 log2 mod multiply pi pow power radians round
round_even sign sin sqrt subtract tan trunc add
"""
_TEXT = """
ascii base64 chr concat concat_ws contains ends_with instr lcase left left_grapheme len length levenshtein
like_escape not_like_escape ilike_escape not_ilike_escape lower ltrim md5 nfc_normalize ord position prefix
regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace
regexp_split_to_array replace reverse right right_grapheme rtrim sha256 split split_part starts_with str_split
str_split_regex string_split string_split_regex string_to_array strip_accents strlen strpos substr substring suffix
translate trim ucase unicode upper url_decode url_encode hash jaccard jaro_similarity jaro_winkler_similarity
damerau_levenshtein hamming
"""
_TIMES = """
age century current_date current_timestamp date_add date_diff date_part date_sub date_trunc datediff datepart
datesub datetrunc day dayname dayofmonth dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era extract
get_current_time get_current_timestamp hour isodow isoyear julian last_day localtime localtimestamp make_date
make_time make_timestamp make_timestamptz microsecond millennium millisecond minute month monthname nanosecond now
quarter second strftime strptime time_bucket timezone timezone_hour timezone_minute to_centuries to_days to_decades
to_hours to_microseconds to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years
today transaction_timestamp try_strptime week weekday weekofyear year yearweek
"""
_NESTED = """
aggregate array_aggregate array_append array_apply array_concat array_contains array_distinct array_extract
array_filter array_has array_has_all array_has_any array_indexof array_length array_position array_reverse
array_slice array_sort array_sum array_to_string array_transform array_unique array_value cardinality element_at
filter flatten json json_array json_array_length json_contains json_exists json_extract json_extract_path
json_extract_path_text json_extract_string json_keys json_object json_structure json_type json_valid json_value
list_aggr list_aggregate list_any_value list_append list_apply list_avg list_cat list_concat list_contains
list_count list_distinct list_element list_extract list_filter list_first list_grade_up list_has list_has_all
list_has_any list_indexof list_intersect list_last list_max list_median list_min list_pack list_position
list_prepend list_product list_reduce list_reverse list_reverse_sort list_slice list_sort list_stddev_pop
list_string_agg list_sum list_transform list_unique list_value list_zip map map_concat map_contains map_entries
map_extract map_extract_value map_from_entries map_keys map_values row struct_extract struct_extract_at struct_pack
to_json unnest unpivot_list
"""
_CHOICES = "coalesce constant_or_null if ifnull isnull nullif error_on_null typeof try_cast cast"

FUNCTIONS = frozenset(" ".join((_AGGREGATES, _WINDOW, _NUMBERS, _TEXT, _TIMES, _NESTED, _CHOICES)).split()) | {
    "!=",
    "<>",
}

TABLE_FUNCTIONS = frozenset({"unnest", "generate_series", "range"})
