"""The desktop window: composes the panels of the plugins, and holds no logic."""
