"""Code that must not type-check: a wrong unit, a wrong signal, a missing room."""

from __future__ import annotations

from penchant_sdk import Event, Penchant
from penchant_sdk.home import Action, Brightness, ColourTemperature, HomeClient, Temperature

penchant = Penchant("localhost:8001")
home = HomeClient(penchant)
said = home.interpret("hello", user="ann", room="")
home.interpret("hello", user="ann")  # E: call-arg
home.interpret("hello", room="bedroom")  # E: call-arg
home.interpret("hello", user="ann", room="bedroom", at="tonight")  # E: arg-type
Brightness(kelvin=2700)  # E: call-arg
ColourTemperature(percent=20)  # E: call-arg
Temperature(fahrenheit=70)  # E: call-arg
Brightness(percent="20")  # E: arg-type
Action("HassLightSet", "light.bed", 20)  # E: arg-type
home.rejected(said)  # E: attr-defined
home.overridden(said)  # E: call-arg
home.overridden(said, by="light.bed")  # E: arg-type
home.accepted(Event(user="u", item="i", signal="accepted"))  # E: arg-type
home.register(["light.bed"])  # E: list-item
HomeClient("localhost:8001")  # E: arg-type
said.act.intent  # E: union-attr
