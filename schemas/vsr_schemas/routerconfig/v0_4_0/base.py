"""What every model of this contract shares."""

from __future__ import annotations

from pydantic import ConfigDict

from vsr_schemas.base import StrictModel


class StockModel(StrictModel):
    """Base of the stock router's models. Fields can be given by their Python names."""

    model_config = ConfigDict(populate_by_name=True)
