"""Seed 1 once broke signal-acted-once: s00000011 became a pyramid of g43hpj3rud53a, the pool had it enter None.

seed 1, 46.33 h from 2016-12-30 01:00:00 UTC
  ETH/USDT: trend from 3030.00 (seed 267972343912302)
  LINK/USDT: recorded from 16.65 (ohlcv_1h/binance_LINKUSDT_1h.parquet)
  BTC/USDT:USDT: trend from 55200.0 (seed 158706782081293)
  signal.honor_stop_loss = True
  execution_pool.count_dca_toward_pool = True
  grid_strategy.tp_mode = aggregate
  risk_engine.slippage_guard = capped
  account.smallest_share = 0.4
  grid_strategy.pyramid_specific_levels = {'1': [{'gap_percent': 0, 'weight_percent': 100, 'tp_percent': 5}]}

Friday 2016-12-30
  03:59:06.000  alert         200 accepted: {"secret":"ssssssssssssssssssssssss","timestamp":1483070346991,"tv":{"exchange":"binance","symbol":"ETHUSDT","timeframe":"240","action":"buy","market_position":"long","market_position_size":1,"prev_ma
  18:00:36.000  alert         200 accepted: {"secret":"ssssssssssssssssssssssss","timestamp":1483120836193,"tv":{"exchange":"binance","symbol":"LINKUSDT","timeframe":"5","action":"buy","market_position":"long","market_position_size":1,"prev_mar
  18:00:40.000  alert         200 accepted: {"secret":"ssssssssssssssssssssssss","timestamp":1483120840636,"tv":{"exchange":"BINANCE","symbol":"LINKUSDT","timeframe":"5","action":"buy","market_position":"long","market_position_size":1,"prev_mar
Saturday 2016-12-31
  02:41:47.000  fault         disk_io_error  x1 0 s
  07:10:33.000  fault         crossed_book  x1 0 s
  08:52:56.000  fault         zero_price  x5 0 s
  14:22:04.000  fault         stale_price  x1 0 s
  16:45:26.000  fault         partial_fill  x1 0 s
  18:06:42.000  fault         kill_after_commit  x1 0 s
  18:15:00.802  killed        life 1 has died
  23:10:24.000  alert         200 accepted: {"secret":"ssssssssssssssssssssssss","timestamp":1483225824,"tv":{"exchange":"BINANCE","symbol":"LINKUSDT","timeframe":"60","action":"buy","market_position":"long","market_position_size":2,"prev_marke
  23:10:25.000  alert         200 accepted: {"secret":"ssssssssssssssssssssssss","timestamp":1483225825709,"tv":{"exchange":"binance","symbol":"BTCUSDT","timeframe":"60","action":"buy","market_position":"long","market_position_size":2,"prev_mar
  23:16:21.000  fault         disk_locked  x1 0 s
  23:20:00.024  VIOLATED      signal-acted-once: s00000011 became a pyramid of g43hpj3rud53a, the pool had it enter None
"""
# ruff: noqa: E501 - a scenario is data, one item a line

import pytest

from simulation.regression import recordings_missing, violations_of

SCENARIO = r"""
{
  "seed": 1,
  "start_at": 1483059600000000000,
  "hours": 46.333616426495,
  "settings": {"signal.honor_stop_loss": true, "execution_pool.count_dca_toward_pool": true, "grid_strategy.tp_mode": "aggregate", "risk_engine.slippage_guard": "capped", "account.smallest_share": 0.4, "grid_strategy.pyramid_specific_levels": {"1": [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 5}]}},
  "paths": [
    {"symbol": "ETH/USDT", "kind": "trend", "seed": 267972343912302, "start_price": "3030.00", "step_s": 300, "file": "", "skip": 0},
    {"symbol": "LINK/USDT", "kind": "recorded", "seed": 30280159899073, "start_price": "16.65", "step_s": 3600, "file": "ohlcv_1h/binance_LINKUSDT_1h.parquet", "skip": 1375},
    {"symbol": "BTC/USDT:USDT", "kind": "trend", "seed": 158706782081293, "start_price": "55200.0", "step_s": 300, "file": "", "skip": 0}
  ],
  "items": [
    {"type": "Post", "at": 1483070346000000000, "body": "{\"secret\":\"ssssssssssssssssssssssss\",\"timestamp\":1483070346991,\"tv\":{\"exchange\":\"binance\",\"symbol\":\"ETHUSDT\",\"timeframe\":\"240\",\"action\":\"buy\",\"market_position\":\"long\",\"market_position_size\":1,\"prev_market_position\":\"flat\",\"prev_market_position_size\":0,\"entry_price\":\"3055.45\",\"order_size\":\"300\"},\"strategy_info\":{\"trade_id\":\"w0\",\"alert_name\":\"world 240\"},\"execution_intent\":{\"type\":\"signal\",\"position_size_type\":\"quote\"},\"risk\":{\"stop_loss\":\"2966.8419500000\",\"take_profit\":\"3128.7808000000\"}}"},
    {"type": "Post", "at": 1483120836000000000, "body": "{\"secret\":\"ssssssssssssssssssssssss\",\"timestamp\":1483120836193,\"tv\":{\"exchange\":\"binance\",\"symbol\":\"LINKUSDT\",\"timeframe\":\"5\",\"action\":\"buy\",\"market_position\":\"long\",\"market_position_size\":1,\"prev_market_position\":\"flat\",\"prev_market_position_size\":0,\"entry_price\":\"19.02\",\"order_size\":\"3000\"},\"strategy_info\":{\"trade_id\":\"w3\",\"alert_name\":\"world 5\"},\"execution_intent\":{\"type\":\"signal\",\"position_size_type\":\"quote\"}}"},
    {"type": "Post", "at": 1483120840000000000, "body": "{\"secret\":\"ssssssssssssssssssssssss\",\"timestamp\":1483120840636,\"tv\":{\"exchange\":\"BINANCE\",\"symbol\":\"LINKUSDT\",\"timeframe\":\"5\",\"action\":\"buy\",\"market_position\":\"long\",\"market_position_size\":1,\"prev_market_position\":\"flat\",\"prev_market_position_size\":0,\"entry_price\":\"19.02\",\"order_size\":\"900\"},\"strategy_info\":{\"trade_id\":\"w3b\",\"alert_name\":\"world 5\"},\"execution_intent\":{\"type\":\"signal\",\"position_size_type\":\"quote\"},\"risk\":{\"stop_loss\":\"18.3733200000\",\"take_profit\":\"20.0470800000\",\"max_slippage_percent\":0.5}}"},
    {"type": "Fault", "at": 1483152107000000000, "kind": "disk_io_error", "target": "", "count": 1, "seconds": 0.0, "amount": 0.0},
    {"type": "Fault", "at": 1483168233000000000, "kind": "crossed_book", "target": "", "count": 1, "seconds": 0.0, "amount": 0.0},
    {"type": "Fault", "at": 1483174376000000000, "kind": "zero_price", "target": "", "count": 5, "seconds": 0.0, "amount": 0.0},
    {"type": "Fault", "at": 1483194124000000000, "kind": "stale_price", "target": "", "count": 1, "seconds": 0.0, "amount": 0.0},
    {"type": "Fault", "at": 1483202726000000000, "kind": "partial_fill", "target": "", "count": 1, "seconds": 0.0, "amount": 0.178},
    {"type": "Fault", "at": 1483207602000000000, "kind": "kill_after_commit", "target": "", "count": 1, "seconds": 0.0, "amount": 0.0},
    {"type": "Post", "at": 1483225824000000000, "body": "{\"secret\":\"ssssssssssssssssssssssss\",\"timestamp\":1483225824,\"tv\":{\"exchange\":\"BINANCE\",\"symbol\":\"LINKUSDT\",\"timeframe\":\"60\",\"action\":\"buy\",\"market_position\":\"long\",\"market_position_size\":2,\"prev_market_position\":\"long\",\"prev_market_position_size\":1,\"entry_price\":\"19.73\",\"order_size\":\"500\"},\"strategy_info\":{\"trade_id\":\"w14\",\"alert_name\":\"world 60\"},\"execution_intent\":{\"type\":\"signal\",\"position_size_type\":\"quote\"}}"},
    {"type": "Post", "at": 1483225825000000000, "body": "{\"secret\":\"ssssssssssssssssssssssss\",\"timestamp\":1483225825709,\"tv\":{\"exchange\":\"binance\",\"symbol\":\"BTCUSDT\",\"timeframe\":\"60\",\"action\":\"buy\",\"market_position\":\"long\",\"market_position_size\":2,\"prev_market_position\":\"long\",\"prev_market_position_size\":1,\"entry_price\":\"61642.00\",\"order_size\":\"900\"},\"strategy_info\":{\"trade_id\":\"w7\",\"alert_name\":\"world 60\"},\"execution_intent\":{\"type\":\"signal\",\"position_size_type\":\"quote\"}}"},
    {"type": "Fault", "at": 1483226181000000000, "kind": "disk_locked", "target": "", "count": 1, "seconds": 0.0, "amount": 0.0}
  ],
  "defect": ""
}
"""


@pytest.mark.slow
@pytest.mark.skipif(recordings_missing(SCENARIO), reason="the recorded candles of this scenario are not here")
def test_seed_1_signal_acted_once() -> None:
    """The rule signal-acted-once, which this scenario once broke, holds, and so does every other."""
    assert violations_of(SCENARIO) == []
