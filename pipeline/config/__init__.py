"""Configuration files."""

from latentloom.pipeline.config.config import Config, as_overrides, load_config, parse_config

__all__ = ["Config", "as_overrides", "load_config", "parse_config"]
