"""What a run costs: time, memory and disk, before it begins and while it goes on.

`effort` says how much there is to compute in a fold, the same on every machine; `precedents` and
`trials` say how long that takes here, from stored records or by trying it; `front_ends` says what
features take. `estimate` puts these together, and
`forecast` corrects it by what is observed.
"""

from __future__ import annotations

from .estimate import Cost, Estimate, FeatureCost, together
from .figures import Figure
from .forecast import Forecast

__all__ = ["Cost", "Estimate", "FeatureCost", "Figure", "Forecast", "together"]
