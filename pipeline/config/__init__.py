"""Configuration files."""

from latentloom.pipeline.config.config import Config, load_config, parse_config

__all__ = ["Config", "load_config", "parse_config"]
