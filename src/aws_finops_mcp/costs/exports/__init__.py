"""The bill's rows: questions in SQL to exports of AWS Data Exports, answered on this host."""
