package peers;

import java.io.IOException;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A training step of the reference experiment in DL4J, as torch_report.py makes it in PyTorch. G learns by an external error:
 * the gradient of D's loss for its input.
 */
public final class Dl4jReport {
    private static final int LATENT = 100;

    private final int batch;
    private final MultiLayerNetwork g = new MultiLayerNetwork(generator());
    private final MultiLayerNetwork d = new MultiLayerNetwork(discriminator());
    private final INDArray pixels;
    private final INDArray target;
    private int count;

    private Dl4jReport(int batch) {
        this.batch = batch;
        g.init();
        d.init();
        pixels = Nd4j.rand(DataType.FLOAT, 32, batch, 1, 28, 28).muli(256).castTo(DataType.UINT8);
        target = Nd4j.concat(
                0, Nd4j.ones(DataType.FLOAT, batch, 1), Nd4j.zeros(DataType.FLOAT, batch, 1));
    }

    public static void main(String[] arguments) throws IOException {
        Dl4jReport report = new Dl4jReport(Integer.parseInt(arguments[0]));
        Serving.serve("dl4j 1.0.0-M2.1", report::step);
    }

    private static NeuralNetConfiguration.Builder network() {
        return new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.FLOAT)
                .weightInit(WeightInit.XAVIER_UNIFORM)
                .updater(new Adam(2e-4, 0.5, 0.999, 1e-7));
    }

    private static MultiLayerConfiguration generator() {
        return network()
                .trainingWorkspaceMode(WorkspaceMode.NONE)
                .inferenceWorkspaceMode(WorkspaceMode.NONE)
                .list()
                .layer(new DenseLayer.Builder().nOut(7 * 7 * 128).activation(Activation.TANH).build())
                .layer(new BatchNormalization.Builder().eps(1e-3).build())
                .layer(new Upsampling2D.Builder(2).build())
                .layer(convolution(64))
                .layer(new Upsampling2D.Builder(2).build())
                .layer(convolution(1))
                .inputPreProcessor(2, new FeedForwardToCnnPreProcessor(7, 7, 128))
                .setInputType(InputType.feedForward(LATENT))
                .build();
    }

    private static MultiLayerConfiguration discriminator() {
        return network()
                .list()
                .layer(convolution(64))
                .layer(pool())
                .layer(convolution(128))
                .layer(pool())
                .layer(new DenseLayer.Builder().nOut(1024).activation(Activation.RELU).build())
                .layer(new OutputLayer.Builder(LossFunction.XENT)
                        .nOut(1)
                        .activation(Activation.SIGMOID)
                        .build())
                .setInputType(InputType.convolutional(28, 28, 1))
                .build();
    }

    private static ConvolutionLayer convolution(int filters) {
        return new ConvolutionLayer.Builder(5, 5)
                .nOut(filters)
                .convolutionMode(ConvolutionMode.Same)
                .activation(Activation.TANH)
                .build();
    }

    private static SubsamplingLayer pool() {
        return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                .kernelSize(2, 2)
                .stride(2, 2)
                .build();
    }

    private INDArray noise() {
        return Nd4j.rand(DataType.FLOAT, batch, LATENT).muli(2).subi(1);
    }

    private float[] step() {
        INDArray real = pixels.get(NDArrayIndex.point(count++ % 32), NDArrayIndex.all())
                .castTo(DataType.FLOAT)
                .subi(127.5)
                .divi(127.5);
        INDArray fake = g.output(noise(), false);
        d.fit(Nd4j.concat(0, real, fake), target);
        double dLoss = d.score();

        g.setInput(noise());
        INDArray drawn = g.feedForward(true, false).get(g.getnLayers());
        INDArray ones = target.get(NDArrayIndex.interval(0, batch), NDArrayIndex.all());
        Pair<Gradient, INDArray> judged = d.calculateGradients(drawn, ones, null, null);
        Gradient gradient = g.backpropGradient(judged.getSecond(), LayerWorkspaceMgr.noWorkspaces())
                .getFirst();
        g.getUpdater()
                .update(g, gradient, count - 1, 0, batch, LayerWorkspaceMgr.noWorkspaces());
        g.params().subi(gradient.gradient());
        return new float[] {(float) dLoss, Float.NaN}; // calculateGradients leaves no score
    }
}
