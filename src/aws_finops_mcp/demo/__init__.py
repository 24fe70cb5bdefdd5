"""An AWS account that needs no AWS: moto behind real HTTP, made strict, and filled with a fictional company."""

from typing import Final

# Whoever shows data of the embedded account prints this beside it.
SIMULATED: Final = (
    "SIMULATED DATA: an embedded AWS account of the fictional company Northwind Outfitters. "
    "No real AWS account was read; resources, metrics, prices and costs are made up."
)
