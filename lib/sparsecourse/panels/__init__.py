"""Interactive panels, a module a lesson. A panel is some controls, one picture and one sentence that follow them.

Every lesson's module has the same two functions. ``panel`` makes the panel. ``picture`` draws it at given settings and
returns (figure, alternative text, sentence to show below): the panel calls it at every move of a control, and the
lesson calls it for the still picture below its panel.

Plain ipywidgets, no Output widget: a control's change calls ``picture``, and what it returns is set as HTML. So the
panels run alike in JupyterLab, VS Code and Colab, don't flicker, and a test that moves a control sees every error.
"""
