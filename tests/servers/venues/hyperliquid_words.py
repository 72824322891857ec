"""What Hyperliquid says on the wire, and who signed what was said to it.

Shapes: ``../shared/data/api/hyperliquid_sdk`` and ``nautilus/hyperliquid`` (recorded), texts of refusals as ccxt knows them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import coincurve
import msgpack
from ccxt.static_dependencies.keccak import SHA3

from protocol.orders import FillReport, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.hall import Hall, Order

__all__ = [
    "MS",
    "REFUSALS",
    "address_of",
    "agree",
    "fill_body",
    "market_rows",
    "number",
    "order_body",
    "signer",
    "status_of",
]

MS: Final = 1_000_000
_ZERO_ADDRESS: Final = bytes(32)
_CHAIN: Final = (1337).to_bytes(32, "big")
_FIGURES: Final = 5

REFUSALS: Final = {
    "TickSize": ("tickRejected", "Price must be divisible by tick size. asset={asset}"),
    "StepSize": ("rejected", "Order has invalid size."),
    "MinQty": ("rejected", "Order has zero size."),
    "MinNotional": ("minTradeNtlRejected", "Order must have minimum value of $10. asset={asset}"),
    "InsufficientFunds": ("perpMarginRejected", "Insufficient margin to place order. asset={asset}"),
    "ReduceOnly": ("reduceOnlyRejected", "Reduce only order would increase position. asset={asset}"),
}
"""By what the hall calls it: the order's status, and the sentence in the answer."""


def _keccak(data: bytes) -> bytes:
    return bytes(SHA3(data))


def address_of(private_key: str) -> str:
    """Return the address of a private key."""
    key = coincurve.PrivateKey(bytes.fromhex(private_key.removeprefix("0x")))
    return "0x" + _keccak(key.public_key.format(compressed=False)[1:])[-20:].hex()


def signer(body: dict[str, Any], *, testnet: bool) -> str:
    """Return the address whose key signed an action: what the venue recovers, with nothing taken from the client's word."""
    packed = bytes(msgpack.packb(body["action"])) + int(body["nonce"]).to_bytes(8, "big")
    vault = body.get("vaultAddress")
    packed += b"\x00" if vault is None else b"\x01" + bytes.fromhex(str(vault).removeprefix("0x"))
    if body.get("expiresAfter") is not None:
        packed += b"\x00" + int(body["expiresAfter"]).to_bytes(8, "big")
    agent = _keccak(b"Agent(string source,bytes32 connectionId)") + _keccak(b"b" if testnet else b"a") + _keccak(packed)
    kind = _keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    domain = _keccak(kind + _keccak(b"Exchange") + _keccak(b"1") + _CHAIN + _ZERO_ADDRESS)
    digest = _keccak(b"\x19\x01" + domain + _keccak(agent))
    parts = body["signature"]
    signature = b"".join(int(parts[name], 16).to_bytes(32, "big") for name in ("r", "s")) + bytes([parts["v"] - 27])
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError:
        return "0x" + "0" * 40
    return "0x" + _keccak(key.format(compressed=False)[1:])[-20:].hex()


def number(value: Decimal) -> str:
    """Return a number as this venue writes it: plain, and never without a decimal point."""
    text = f"{value.normalize():f}"
    return text if "." in text else text + ".0"


def agree(text: str, decimals: int, *, price: bool) -> bool:
    """Whether a price or size keeps the rules: plainly written, so many decimals; prices: whole, or of five figures."""
    value = Decimal(text)
    if text != f"{value.normalize():f}" or -int(value.normalize().as_tuple().exponent) > decimals:
        return False
    return not price or value == int(value) or len(value.normalize().as_tuple().digits) <= _FIGURES


def status_of(order: Order) -> str:
    """Return the order's status in this venue's words."""
    if order.state is OrderState.REJECTED:
        return REFUSALS.get(order.code, ("rejected", ""))[0]
    if order.state is OrderState.CANCELLED:
        taker = order.request.type in (OrderType.IOC, OrderType.MARKET)
        return "iocCancelRejected" if taker and not order.filled else "canceled"
    return "filled" if order.state is OrderState.FILLED else "open"


def order_body(order: Order, coin: str, cloid: str | None, *, brief: bool = False) -> dict[str, Any]:
    """Return an order: ``brief`` as the stream tells it, else as it is answered."""
    request = order.request
    body = {
        "coin": coin,
        "side": "B" if request.side is OrderSide.BUY else "A",
        "limitPx": number(request.price or Decimal(0)),
        "sz": number(order.rest),
        "oid": order.number,
        "timestamp": order.created_at // MS,
        "origSz": number(request.qty),
    }
    if cloid:
        body["cloid"] = cloid
    if brief:
        return body
    return {"cloid": None} | body | {
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": request.reduce_only,
        "orderType": "Limit",
        "tif": "Ioc" if request.type is OrderType.IOC else "Gtc",
    }  # fmt: skip


def fill_body(
    hall: Hall, fill: FillReport, coin: str, tokens: dict[str, str], cloid: str | None = None
) -> dict[str, Any]:
    """Return one fill. The stream says the order's ``cloid``, the history of fills does not."""
    body = {
        "coin": coin,
        "px": number(fill.price),
        "sz": number(fill.qty),
        "side": "B" if fill.side is OrderSide.BUY else "A",
        "time": fill.at // MS,
        "startPosition": "0.0",
        "dir": "Buy" if fill.side is OrderSide.BUY else "Sell",
        "closedPnl": "0.0",
        "hash": "0x" + f"{hall.trade_number(fill):064x}",
        "oid": hall.number_of(fill),
        "crossed": not fill.maker,
        "fee": number(fill.fee),
        "tid": hall.trade_number(fill),
        "feeToken": tokens.get(fill.fee_currency, fill.fee_currency),
        "twapId": None,
    }
    return body | {"cloid": cloid} if cloid else body


def market_rows(hall: Hall, market: MarketType, tokens: dict[str, str]) -> list[Any]:
    """Return the answer about all markets of a family: their descriptions, and how each one stands."""
    rows = [each for each in hall.instruments().values() if each.market_type is market]
    contexts = []
    for each in rows:
        quote = hall.quote(each.symbol)
        middle = number((quote.bid + quote.ask) / 2) if quote else None
        context = {"prevDayPx": "59000.0", "dayNtlVlm": "1169046.29406", "markPx": middle or "60000.0", "midPx": middle}
        if market is MarketType.PERP:
            context |= {"funding": "0.0000125", "openInterest": "688.11", "oraclePx": middle or "60000.0",
                        "premium": "0.00031774",
                        "impactPxs": [number(quote.bid), number(quote.ask)] if quote else None}  # fmt: skip
        contexts.append(context)
    sizes = [-int(each.rules.step_size.normalize().as_tuple().exponent) for each in rows]
    if market is MarketType.PERP:
        pairs = zip(rows, sizes, strict=True)
        universe = [{"szDecimals": size, "name": each.venue_symbol, "maxLeverage": 40} for each, size in pairs]
        return [{"universe": universe}, contexts]
    names = ["USDC", *(tokens.get(each.base, each.base) for each in rows)]
    listed = [
        {"name": name, "szDecimals": size, "weiDecimals": 8, "index": index, "tokenId": f"0x{index:032x}"}
        for index, (name, size) in enumerate(zip(names, [8, *sizes], strict=True))
    ]
    pairs_of = [
        {"tokens": [index + 1, 0], "name": each.venue_symbol, "index": index, "isCanonical": False}
        for index, each in enumerate(rows)
    ]
    return [{"universe": pairs_of, "tokens": listed}, contexts]
