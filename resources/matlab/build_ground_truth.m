function gTruth = build_ground_truth(imageFolder)
%BUILD_GROUND_TRUTH The masks beside this file as a groundTruth for the Image Labeler.
%   gTruth = build_ground_truth() takes the images from the folder "images" beside this file.
%   gTruth = build_ground_truth(imageFolder) takes them from another folder.
%   Then start imageLabeler and choose Import > Labels > From Workspace.
%   Needs the Computer Vision Toolbox.

here = fileparts(mfilename('fullpath'));
if nargin < 1
    imageFolder = fullfile(here, 'images');
end
classes = readtable(fullfile(here, 'classes.csv'), 'Delimiter', ',', 'TextType', 'char');
pairs = readtable(fullfile(here, 'files.csv'), 'Delimiter', ',', 'TextType', 'char', 'ReadVariableNames', true);

% The ' keeps spreadsheets from running a name that begins like a formula.
names = regexprep(cellstr(pairs.image), '^''(?=''*[=+@-])', '');
images = fullfile(imageFolder, names);
labels = fullfile(here, 'PixelLabelData', cellstr(pairs.label));
for k = 1:numel(images)
    if ~isfile(images{k})
        error('%s is missing: give the folder of the images, build_ground_truth(imageFolder).', images{k});
    end
end

count = height(classes);
colors = [classes.red, classes.green, classes.blue] / 255;
labelDefs = table(cellstr(classes.key), repmat(labelType.PixelLabel, count, 1), ...
    num2cell(classes.id), num2cell(colors, 2), ...
    'VariableNames', {'Name', 'Type', 'PixelLabelID', 'LabelColor'});
labelData = table(labels(:), 'VariableNames', {'PixelLabelData'});
gTruth = groundTruth(groundTruthDataSource(images(:)), labelDefs, labelData);
end
