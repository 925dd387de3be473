"""The form that adds the agent: the server's address, a token for it, and the home's language."""

from __future__ import annotations

from typing import Any

import voluptuous as vol
from homeassistant.config_entries import ConfigFlow
from homeassistant.data_entry_flow import FlowResult

FORM = vol.Schema(
    {
        vol.Required("target", default="localhost:8001"): str,
        vol.Optional("token", default=""): str,  # For a server that asks for one.
        vol.Required("language", default="en"): vol.In(["en", "zh-CN"]),
    }
)


class PenchantConfigFlow(ConfigFlow, domain="penchant"):
    """Asks for the server once; a home has one agent."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> FlowResult:
        """Shows the form, and keeps what was entered."""
        await self.async_set_unique_id("penchant")
        self._abort_if_unique_id_configured()
        if user_input is None:
            return self.async_show_form(step_id="user", data_schema=FORM)
        return self.async_create_entry(title="Penchant", data=user_input)
