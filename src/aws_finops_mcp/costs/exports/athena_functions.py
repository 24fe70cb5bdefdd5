"""Functions of Athena's engine version 3 that a translated question may call.

https://trino.io/docs/current/functions/list.html; what Athena documents beside them is not needed here.
"""

from __future__ import annotations

_AGGREGATES = """
any_value approx_distinct approx_percentile arbitrary array_agg avg bitwise_and_agg bitwise_or_agg bitwise_xor_agg
bool_and bool_or corr count count_if covar_pop covar_samp every geometric_mean histogram kurtosis listagg map_agg
max max_by min min_by multimap_agg regr_intercept regr_slope skewness stddev stddev_pop stddev_samp sum var_pop
var_samp variance
"""
_WINDOW = "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number"
_NUMBERS = """
abs acos asin atan atan2 bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor cbrt
ceil ceiling cos cosh degrees e exp floor greatest is_finite is_infinite is_nan least ln log log10 log2 mod pi pow
power radians round sign sin sinh sqrt tan tanh truncate width_bucket
"""
_TEXT = """
chr codepoint concat concat_ws ends_with from_utf8 length levenshtein_distance lower lpad ltrim md5 normalize position
regexp_count regexp_extract regexp_extract_all regexp_like regexp_position regexp_replace regexp_split replace reverse
rpad rtrim sha256 split split_part split_to_map starts_with strpos substr substring to_base64 to_hex to_utf8 translate
trim upper url_decode url_encode word_stem
"""
_TIMES = """
at_timezone current_date current_timestamp date date_add date_diff date_format date_parse date_trunc day day_of_month
day_of_week day_of_year dow doy extract from_iso8601_date from_iso8601_timestamp from_unixtime hour last_day_of_month
localtimestamp millisecond minute month now quarter second timestamp to_iso8601 to_unixtime week week_of_year
with_timezone year year_of_week yow
"""
_NESTED = """
all_match any_match array array_distinct array_except array_intersect array_join array_max array_min array_position
array_remove array_sort array_union arrays_overlap cardinality contains contains_sequence element_at filter flatten
json_array_contains json_array_get json_array_length json_extract json_extract_scalar json_format json_object json_parse
json_size map map_concat map_entries map_filter map_from_entries map_keys map_values none_match reduce row sequence
shuffle slice transform transform_keys transform_values typeof unnest zip zip_with
"""
_CHOICES = "cast coalesce if nullif try try_cast"

FUNCTIONS = frozenset(" ".join((_AGGREGATES, _WINDOW, _NUMBERS, _TEXT, _TIMES, _NESTED, _CHOICES)).split())

_GRAMMAR = """
all and any as between by case cube distinct else end except exists filter from group grouping having in intersect
interval is join lateral like not on or over partition rollup select sets some then union using values when where
with within varchar char decimal double timestamp rows range
"""

WORDS = frozenset(_GRAMMAR.split())
"""Words of the grammar that may stand before a bracket, and are no functions."""
