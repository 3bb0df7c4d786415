-- Whole numbers as text: Lua's own conversion turns large ones into 1.7e+12.
local function text(number)
  return string.format('%.0f', number)
end
