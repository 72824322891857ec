"""The words of the Web API v1.0: rows of orders and trades, contracts, and its OAuth 1.0a as the broker checks it."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from protocol.orders import FillReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from tests.servers.venues.hall import Order
from tests.servers.venues.tws_words import Listed

__all__ = [
    "ACCOUNT",
    "CONSUMER",
    "TOKEN",
    "OAuth",
    "contract_row",
    "dh_pem",
    "encrypted_secret",
    "order_row",
    "request_of",
    "trade_row",
    "write_keys",
]

ACCOUNT: Final = "DU1234567"
CONSUMER, TOKEN = "TESTCONS1", "c0ffee00token"
_SECRET: Final = bytes(range(7, 39))
_P: Final = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6D"
    "F25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D"
    "C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08"
    "CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)
"""The 2048-bit group of RFC 3526."""
_STATUS: Final = {
    OrderState.OPEN: "Submitted",
    OrderState.PARTIALLY_FILLED: "Submitted",
    OrderState.FILLED: "Filled",
    OrderState.CANCELLED: "Cancelled",
    OrderState.REJECTED: "Inactive",
}
_KINDS: Final = {OrderType.MARKET: "MARKET", OrderType.STOP: "STOP"}


@functools.cache
def _key(name: str) -> RSAPrivateKey:
    assert name in ("signature", "encryption")
    return generate_private_key(65537, 2048)


def write_keys(folder: Path) -> None:
    """Write the three files of an account, as the broker's instructions name them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("signature", "encryption"):
        pem = _key(name).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (folder / f"private_{name}.pem").write_bytes(pem)
    (folder / "dhparam.pem").write_text(dh_pem(_P, 2))


def dh_pem(prime: int, generator: int) -> str:
    """Return a group as ``openssl dhparam`` writes it."""
    numbers = b"".join(_der(2, each.to_bytes(each.bit_length() // 8 + 1)) for each in (prime, generator))
    text = base64.encodebytes(_der(0x30, numbers)).decode()
    return f"-----BEGIN DH PARAMETERS-----\n{text}-----END DH PARAMETERS-----\n"


def _der(kind: int, content: bytes) -> bytes:
    size = len(content)
    long = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([kind]) + (bytes([size]) if size < 128 else bytes([128 + len(long)]) + long) + content


@functools.cache
def encrypted_secret() -> str:
    """Return the access token secret as the broker hands it out."""
    return base64.b64encode(_key("encryption").public_key().encrypt(_SECRET, PKCS1v15())).decode()


class OAuth:
    """The broker's side of OAuth 1.0a: every signature is checked. ``refused`` says why the last one was not good."""

    def __init__(self, access_token: Callable[[], str], number: int = 0xBEEF_CAFE_F00D) -> None:
        self._access_token = access_token
        self._number = number
        self._token = b""
        self._nonces: set[str] = set()
        self.refused = ""

    def exchange(self, url: str, header: str, expires_ms: int) -> dict[str, Any] | None:
        """Answer a challenge; None when its RSA signature is wrong."""
        asked = _read(header)
        signed = base64.b64decode(unquote_plus(asked.pop("oauth_signature", "")))
        if asked.get("oauth_signature_method") != "RSA-SHA256" or not self._fresh(asked):
            return None
        try:
            _key("signature").public_key().verify(
                signed, (_SECRET.hex() + _base("POST", url, asked)).encode(), PKCS1v15(), SHA256()
            )
        except InvalidSignature:
            self.refused = "the RSA signature is wrong"
            return None
        shared = pow(int(asked["diffie_hellman_challenge"], 16), self._number, _P)
        key = bytes([0]) if shared.bit_length() % 8 == 0 else b""
        key += shared.to_bytes((shared.bit_length() + 7) // 8)
        self._token = hmac.digest(key, _SECRET, hashlib.sha1)
        return {
            "diffie_hellman_response": f"{pow(2, self._number, _P):x}",
            "live_session_token_signature": hmac.new(self._token, CONSUMER.encode(), hashlib.sha1).hexdigest(),
            "live_session_token_expiration": expires_ms,
        }

    def good(self, method: str, url: str, params: dict[str, str], header: str) -> bool:
        """Whether a request is signed with the token of the last exchange."""
        asked = _read(header)
        told = base64.b64decode(unquote_plus(asked.pop("oauth_signature", "")))
        if not self._token or asked.get("oauth_signature_method") != "HMAC-SHA256" or not self._fresh(asked):
            self.refused = self.refused or "no token, or another method"
            return False
        right = hmac.digest(self._token, _base(method, url, {**asked, **params}).encode(), hashlib.sha256)
        if not hmac.compare_digest(told, right):
            self.refused = f"the HMAC signature of {method} {url} is wrong"
            return False
        return True

    def _fresh(self, asked: dict[str, str]) -> bool:
        nonce = asked.get("oauth_nonce", "")
        whose = (asked.get("oauth_consumer_key"), asked.get("oauth_token")) == (CONSUMER, self._access_token())
        if not whose or not nonce or nonce in self._nonces or not asked.get("oauth_timestamp", "").isdigit():
            self.refused = "another key, a nonce of before, or no time"
            return False
        self._nonces.add(nonce)
        return True


def _read(header: str) -> dict[str, str]:
    scheme, _, rest = header.partition(" ")
    found = dict(re.findall(r'(\w+)="([^"]*)"', rest)) if scheme == "OAuth" else {}
    found.pop("realm", None)
    return found


def _base(method: str, url: str, params: dict[str, str]) -> str:
    listed = "&".join(f"{key}={params[key]}" for key in sorted(params))
    return "&".join((method, quote_plus(url), quote_plus(listed)))


def order_row(order: Order, listed: Listed) -> dict[str, Any]:
    """Return an order as lists and the ``sor`` topic tell it."""
    request = order.request
    status = _STATUS[order.state]
    return {
        "acct": ACCOUNT, "account": ACCOUNT, "conidex": str(listed.con_id), "conid": listed.con_id,
        "orderId": order.number, "cashCcy": listed.currency, "sizeAndFills": f"{_n(order.filled)}/{_n(request.qty)}",
        "orderDesc": f"{request.side.value.title()} {_n(request.qty)}", "description1": listed.symbol,
        "ticker": listed.symbol, "secType": listed.kind, "listingExchange": listed.exchange,
        "remainingQuantity": float(order.rest), "filledQuantity": float(order.filled), "totalSize": float(request.qty),
        "companyName": listed.symbol, "status": status, "order_ccp_status": status,
        "origOrderType": _KINDS.get(request.type, "LIMIT"), "supportsTaxOpt": "1",
        "lastExecutionTime_r": order.updated_at // 1_000_000_000 * 1000, "orderType": "Limit",
        "order_ref": request.client_order_id, "timeInForce": "GTC", "bgColor": "#FFFFFF", "fgColor": "#0000CC",
        "side": "BUY" if request.side is OrderSide.BUY else "SELL",
    } | ({} if request.price is None else {"price": _n(request.price)})  # fmt: skip


def trade_row(fill: FillReport, number: int, listed: Listed) -> dict[str, Any]:
    """Return a trade as the list and the ``str`` topic tell it."""
    side = "B" if fill.side is OrderSide.BUY else "S"
    return {
        "execution_id": f"0000e0d5.{number:x}.01.01", "symbol": listed.symbol, "supports_tax_opt": "1", "side": side,
        "order_description": f"{side} {_n(fill.qty)} @ {_n(fill.price)} on {listed.exchange}",
        "trade_time_r": fill.at // 1_000_000_000 * 1000, "size": float(fill.qty), "price": _n(fill.price),
        "order_ref": fill.client_order_id, "submitter": "user1234", "exchange": listed.exchange,
        "commission": _n(fill.fee), "net_amount": float(fill.qty * fill.price), "account": ACCOUNT,
        "accountCode": ACCOUNT, "company_name": listed.symbol, "contract_description_1": listed.symbol,
        "sec_type": listed.kind, "listing_exchange": listed.exchange, "conid": listed.con_id,
        "conidEx": str(listed.con_id), "clearing_id": "IB", "clearing_name": "IB", "liquidation_trade": "0",
    }  # fmt: skip


def contract_row(listed: Listed) -> dict[str, Any]:
    """Return a contract with its rules."""
    places = max(0, -int(Decimal(listed.increment).normalize().as_tuple().exponent))
    tick = float(listed.tick)
    return {
        "cfi_code": "", "symbol": listed.symbol, "con_id": listed.con_id, "maturity_date": listed.expiry or None,
        "instrument_type": listed.kind, "trading_class": listed.symbol,
        "valid_exchanges": ",".join(dict.fromkeys(("SMART", listed.exchange))),
        "local_symbol": listed.local or listed.symbol, "currency": listed.currency, "underlying_con_id": 0,
        "r_t_h": True, "multiplier": listed.multiplier or None,
        "strike": listed.strike, "right": listed.right or None, "company_name": listed.symbol,
        "smart_available": True, "exchange": listed.exchange,
        "rules": {
            "increment": tick, "incrementDigits": 2, "incrementType": 1, "sizeIncrement": 100, "defaultSize": 100,
            "fraqInt": places, "incrementRules": [{"lowerEdge": 0.0, "increment": tick}], "cashCcy": listed.currency,
        },
    }  # fmt: skip


def request_of(asked: dict[str, Any], symbol: str) -> OrderRequest:
    """Return an order as the hall takes it."""
    kind = {"MKT": OrderType.MARKET, "LMT": OrderType.LIMIT, "STP": OrderType.STOP}[asked["orderType"]]
    price = None if "price" not in asked else Decimal(str(asked["price"]))
    if kind is OrderType.LIMIT and asked["tif"] == "IOC":
        kind = OrderType.IOC
    return OrderRequest(
        client_order_id=asked["cOID"],
        symbol=symbol,
        side=OrderSide.BUY if asked["side"] == "BUY" else OrderSide.SELL,
        type=kind,
        qty=Decimal(str(asked["quantity"])),
        price=price if kind is not OrderType.STOP else None,
        stop_price=price if kind is OrderType.STOP else None,
    )


def _n(value: Decimal) -> str:
    return format(value.normalize(), "f")
