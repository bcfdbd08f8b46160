"""Keys as somebody presses them."""

from tests.support.browser import Tab

CODES = {"Enter": {"text": "\r", "windowsVirtualKeyCode": 13}, "Escape": {"windowsVirtualKeyCode": 27}}


async def press(tab: Tab, *keys: str) -> None:
    """One key after another."""
    for key in keys:
        text = {"text": key} if len(key) == 1 else {}
        await tab.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **(CODES.get(key) or text))
        await tab.ask("Input.dispatchKeyEvent", type="keyUp", key=key)
